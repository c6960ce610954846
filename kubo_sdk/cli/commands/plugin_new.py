"""``kubo plugin new``: writes the skeleton of a plugin, whose contract suite passes once it is filled in."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path

import kubo_sdk
from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.skeleton import PORTS, Port, reason_against_name, skeleton
from kubo_sdk.errors import ConfigError, HostError
from kubo_sdk.plugins import Plugins


def run(arguments: argparse.Namespace) -> int:
    name, port = arguments.name, PORTS[arguments.port]
    reason = reason_against_name(name) or _reason_of_others(name, port)
    if reason is not None:
        raise ConfigError([reason])
    into = arguments.directory or Path(name)
    texts = skeleton(name, port, kubo_sdk.__version__)
    write(into, texts)
    if arguments.json:
        print_json({"result": "done", "name": name, "port": port.key, "directory": str(into), "files": [*texts]})
        return 0
    print(f"{into} holds the {port.called} {name!r}: {len(texts)} files")
    print(f"fill in {into / name.replace('-', '_') / 'provider.py'}, then, in {into}:")
    print("  pip install --editable '.[testing]'")
    print("  pytest                                          the contract suite, with fixtures of your own")
    print(f"  {f'kubo plugin check {port.word} {name}':<47} the same, as a cluster would connect it")
    return 0


def _reason_of_others(name: str, port: Port) -> str | None:
    for row in Plugins().describe():
        if (row["port"], row["name"]) == (port.key, name):
            source = f"{row['distribution']} {row['version']}"
            return f"there is a {port.called} {name!r} already, from {source}; choose another name"
    return None


def write(into: Path, texts: Mapping[str, str]) -> None:
    """Make the directory *into* with these files.  ConfigError when it is there; nothing is left when it fails."""
    try:
        into.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError([f"{into} is there already; remove it, or name another with --directory"]) from None
    except OSError as error:
        raise HostError(f"{into} cannot be made: {error.strerror}; name another with --directory") from error
    try:
        for path, text in texts.items():
            (into / path).parent.mkdir(exist_ok=True)
            (into / path).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(into, ignore_errors=True)
        raise HostError(f"{into} cannot be written: {error.strerror}; name another with --directory") from error
