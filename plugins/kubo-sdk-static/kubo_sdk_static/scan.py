"""Scan: asks machines for their host keys and writes them into the machines file, leaving all else as it stands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubo_sdk.config.document import read_document
from kubo_sdk.errors import ConfigError, HostError
from kubo_sdk_static.machines_file import Machine, MachinesFile

KINDS = "ed25519"
SECONDS = 20
MOST_AT_ONCE = 64


def scan(file: MachinesFile) -> dict[str, tuple[str, str]]:
    """By machine without a pinned key: (its key, "") or ("", why there is none).

    HostError without OpenSSH's client, or where a jump host stands in between: nobody vouches for an answer then.
    """
    wanted = [machine for machine in file.machines if not machine.host_keys]
    if wanted and file.jump is not None:
        raise HostError(
            f"{file.path} has a jump host, behind which keys cannot be asked for; copy them from each machine's "
            "/etc/ssh/ssh_host_ed25519_key.pub"
        )
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(wanted))) as pool:
        return dict(zip((machine.name for machine in wanted), pool.map(_ask, wanted), strict=True))


def _ask(machine: Machine) -> tuple[str, str]:
    host, port = machine.reached_at
    command = ["ssh-keyscan", "-t", KINDS, "-T", str(SECONDS), "-p", str(port), host]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise HostError(f"ssh-keyscan cannot be started ({error.strerror}); install OpenSSH's client") from error
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) >= 3 and not line.startswith("#"):
            return f"{words[1]} {words[2]}", ""
    return "", f"{host}:{port} tells no {KINDS} key"


def pin(path: Path, keys: Mapping[str, str]) -> None:
    """Write the keys by machine into the file, each before its machine's ``address``.

    ConfigError when the file is not as it should be afterwards; then it is left as it was.
    """
    document, _ = read_document(path, is_spec=False)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = {item["name"]: item.line_of("address") - 1 for item in document["machines"] if item["name"] in keys}
    for name, number in sorted(places.items(), key=lambda place: -place[1]):
        lines[number] = _with_key(lines[number], keys[name])
    text = "".join(lines)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    try:
        written = {item.get("name"): item.get("host_keys") for item in read_document(new, is_spec=False)[0]["machines"]}
        if any(written.get(name) != [key] for name, key in keys.items()):
            raise ConfigError([f"{path}: the keys cannot be written into it; add them by hand as host_keys"])
        new.chmod(path.stat().st_mode & 0o7777)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _with_key(line: str, key: str) -> str:
    """The line that holds ``address``, with the key before it: on the same line inside braces, else on its own."""
    before, _, rest = line.partition("address")
    if "{" in before or not re.fullmatch(r"\s*(- )?\s*", before):
        return f'{before}host_keys: ["{key}"], address{rest}'
    return f'{before}host_keys: ["{key}"]\n{" " * len(before)}address{rest}'
