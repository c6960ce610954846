"""Running the programs of a build apart from the host: they end with the process that asked, and so do their mounts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kubo_sdk.errors import HostError

REASON_LENGTH = 200
KEPT_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")


def apart(command: Sequence[str], *, network: bool = True) -> list[str]:
    """*command* with mounts and processes of its own, which the kernel clears away whatever kills the caller."""
    namespaces = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
    if not network:
        namespaces.append("--net")
    return [*bound(["unshare", *namespaces, "--"]), *command]


def bound(command: Sequence[str]) -> list[str]:
    """*command*, killed by the kernel when the caller dies."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def environment() -> dict[str, str]:
    """What programs of a build see of the caller's environment: the proxies and nothing else."""
    kept = {name: value for name, value in os.environ.items() if name.lower() in KEPT_VARIABLES}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **kept}


def run(
    command: Sequence[str],
    *,
    what: str,
    log: Path,
    variables: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run *command* to its end, its output going to *log* and line by line to *on_line*.

    HostError with the last telling line of the output when it fails.  What *on_line* raises ends the command and is
    passed on.
    """
    last = "no output"
    with (
        log.open("a") as sink,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**environment(), **(variables or {})},
            cwd=cwd,
        ) as process,
    ):
        assert process.stdout is not None  # it is a pipe
        try:
            for line in process.stdout:
                sink.write(line)
                last = _telling(line.strip()) or last
                on_line(line.strip())
        except BaseException:
            process.kill()
            process.stdout.read()  # ends when the last process of the command is gone
            raise
    if process.returncode:
        raise HostError(f"{what} failed: {last}; the whole output is in {log}")


def _telling(line: str) -> str:
    """What a line of output tells about a failure: nothing when it only reports progress, or that there was one."""
    return "" if line.startswith("I: ") or line.endswith("failed to run") else line[:REASON_LENGTH]
