"""``kubo logs``: the journal of an instance."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.session import open_cluster
from kubo_sdk.errors import ConfigError


def run(arguments: argparse.Namespace) -> int:
    if arguments.lines < 0:
        raise ConfigError([f"--lines must be 0 or more, not {arguments.lines}"])
    shell = open_cluster(arguments).shell(arguments.instance)
    return shell.interact(journalctl(arguments))


def journalctl(arguments: argparse.Namespace) -> list[str]:
    """The command that reads the journal; with ``--json`` in journald's own JSON lines."""
    command = ["journalctl", "--no-pager", "--quiet", f"--lines={arguments.lines}"]
    if arguments.unit:
        command.append(f"--unit={arguments.unit}")
    if arguments.follow:
        command.append("--follow")
    if arguments.json:
        command.append("--output=json")
    return command
