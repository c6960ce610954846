"""The arguments of commands that have commands of their own: ``kubo plugin new``, ``kubo credentials copy``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

Common = Callable[..., None]


def plugin(parser: argparse.ArgumentParser, common: Common, ports: Sequence[str]) -> None:
    """Its commands are files of their own: ``commands/plugin_new.py``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "write the skeleton of a plugin"
    new = actions.add_parser("new", help=summary, description=f"{summary.capitalize()}.")
    common(new, short="-f")
    new.add_argument("name", metavar="NAME", help="of the provider and of the distribution, for example acme-dns")
    new.add_argument("--port", metavar="PORT", choices=ports, required=True, help=", ".join(ports))
    new.add_argument("--directory", metavar="DIR", type=Path, default=None, help="where to write it (default: ./NAME)")
    summary = "run the contract suite of a port against an installed provider"
    check = actions.add_parser("check", help=summary, description=f"{summary.capitalize()}.")
    common(check, short="-f")
    check.add_argument("port", metavar="PORT", choices=ports, help=", ".join(ports))
    check.add_argument("provider", metavar="PROVIDER", help="the name of the provider, as kubo plugins shows it")
    check.add_argument("--options", metavar="FILE", type=Path, default=None, help="YAML with the provider's options")
    check.add_argument("--suite", metavar="FILE", type=Path, default=None, help="YAML with settings of the suite")


def credentials(parser: argparse.ArgumentParser, common: Common) -> None:
    """What is done to the credentials as a whole."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "bring every credential as it is into another store, and read it back there"
    copy = actions.add_parser("copy", help=summary, description=f"{summary.capitalize()}.")
    common(copy, short="-f")
    meaning = "the spec of the same cluster that names the other store"
    copy.add_argument("--to", metavar="SPEC", type=Path, required=True, help=meaning)
    meaning = "also where the other store holds other values"
    copy.add_argument("--overwrite", action="store_true", help=meaning)
    meaning = "empty the store of FILE when everything was read back from the other"
    copy.add_argument("--delete-source", action="store_true", help=meaning)
