"""The command line ``kubo-static``: pins host keys, shows who has which machine, gives one back by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from kubo_sdk.errors import KuboError, NotFound
from kubo_sdk.ssh import SshConnections
from kubo_sdk_static.claiming import Claiming
from kubo_sdk_static.connect import login_key, ssh_hosts
from kubo_sdk_static.machines_file import MachinesFile, read_machines
from kubo_sdk_static.scan import pin, scan
from kubo_sdk_static.survey import Reach, Sight, Survey

PATIENCE = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.  1 when it could not be done, with one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KuboError as error:
        sys.stderr.write(f"kubo-static: {error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kubo-static", description="Look after the machines of the CPI static.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    scanning = commands.add_parser("scan", help="show the host keys of the machines that have none in the file")
    scanning.add_argument("--write", action="store_true", help="put them into the file")
    scanning.set_defaults(run=_scan)
    listing = commands.add_parser("list", help="show who has which machine")
    listing.set_defaults(run=_list)
    releasing = commands.add_parser("release", help="give back one machine, whoever has it")
    releasing.set_defaults(run=_release)
    for command in (scanning, listing, releasing):
        command.add_argument("file", type=Path, metavar="FILE", help="the machines file")
    for command in (listing, releasing):
        command.add_argument("--key", type=Path, help="the private key to log in with, where the file names none")
    releasing.add_argument("machine", metavar="MACHINE")
    releasing.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _scan(arguments: argparse.Namespace) -> int:
    """Trust on first use, and nobody may think otherwise: a key that is found here is whoever's who answered."""
    path: Path = arguments.file.absolute()
    found = scan(read_machines(path, pinned=False))
    for name, (key, trouble) in found.items():
        sys.stdout.write(f"{name}: {key or trouble}\n")
    keys = {name: key for name, (key, _) in found.items() if key}
    if keys:
        sys.stderr.write(
            "these keys are what answered just now; compare them with what lies on each machine in "
            "/etc/ssh/ssh_host_ed25519_key.pub\n"
        )
    if keys and arguments.write:
        pin(path, keys)
        sys.stderr.write(f"{len(keys)} keys are pinned in {path}\n")
    return 0 if len(keys) == len(found) else 1


def _list(arguments: argparse.Namespace) -> int:
    file, reach = _open(arguments)
    for sight in Survey(file.machines, reach, PATIENCE).take():
        sys.stdout.write(
            f"{sight.machine.name:20} {sight.machine.address!s:15} {sight.machine.zone:8} {_word(sight)}\n"
        )
    return 0


def _word(sight: Sight) -> str:
    look = sight.look
    if look is None:
        return f"silent: {sight.trouble}"
    if look.claim is None:
        return f"in use: {look.used}" if look.used else "free"
    return f"{look.phase}: {look.claim.instance} of {look.claim.cluster} since {look.claim.at[:19]}Z"


def _release(arguments: argparse.Namespace) -> int:
    file, reach = _open(arguments)
    machine = file.find(arguments.machine)
    if machine is None:
        raise NotFound(f"{file.path} lists no machine {arguments.machine!r}")
    claim = Survey((machine,), reach, PATIENCE).look_at(machine).claim
    if claim is None:
        sys.stdout.write(f"{machine.name} is free\n")
        return 0
    if not arguments.yes:
        sys.stdout.write(
            f"{machine.name} is {claim.instance} of {claim.cluster}, and loses what is on it. Go on? [y/N] "
        )
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return 1
    Claiming(file, reach).release(machine, claim.id)
    sys.stdout.write(f"{machine.name} is free\n")
    return 0


def _open(arguments: argparse.Namespace) -> tuple[MachinesFile, Reach]:
    file = read_machines(arguments.file.absolute())
    connections = SshConnections(connect_timeout=PATIENCE)
    given = arguments.key.absolute() if arguments.key else None
    hosts = ssh_hosts(file, cache(lambda path: login_key(path or given, "", None, file)))
    return file, lambda machine: connections.shell(hosts[machine.name])
