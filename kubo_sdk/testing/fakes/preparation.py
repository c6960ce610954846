"""Does on a fake machine what preparing it does on a real one, and takes the release in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.nodes.preparation_script import PREPARED, REFUSED
from kubo_sdk.nodes.transfer_script import NO_ROOM
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.testing.fakes.push import outcome

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

PACKAGES = "/var/lib/dpkg/status"


def prepare(machine: FakeMachine, _arguments: list[str], stdin: bytes) -> Outcome:
    """`preparation_script.PREPARE`.  What was installed is a line of the file `PACKAGES`."""
    said = dict(line.split(b" ", 1) for line in stdin.splitlines())
    digest = said[b"digest"] + b"\n"
    if machine.files.get(PREPARED) == digest:
        return outcome()
    if machine.disk_is_full:
        return outcome(REFUSED, b"never it has 0 MB left on /var and needs 1024; give it a larger disk\n")
    machine.files[PACKAGES] = said[b"packages"]
    machine.files[PREPARED] = digest
    return outcome(stdout=b"ok\n")


def has_bundle(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`preparation_script.HAS_BUNDLE`."""
    digest, place = arguments
    return outcome(0 if place in machine.trees or machine.files.get(PREPARED) == f"{digest}\n".encode() else 1)


def tree_is_there(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`install_release.PRESENT`."""
    return outcome(0 if arguments[0] in machine.trees else 1)


def resume(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`transfer_script.RESUME`."""
    if machine.disk_is_full:
        return outcome(NO_ROOM, f"0 {arguments[2]}\n".encode())
    return outcome(stdout=b"%d\n" % len(machine.files.get(arguments[0], b"")))


def receive(machine: FakeMachine, arguments: list[str], stdin: bytes) -> Outcome:
    """`transfer_script.RECEIVE`."""
    there = machine.files.get(arguments[0], b"")
    start = int(arguments[1])
    machine.files[arguments[0]] = machine.cloud.shared(there[:start] + stdin + there[start + len(stdin) :])
    return outcome()


def unpack(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`transfer_script.UNPACK`."""
    machine.files.pop(arguments[0], None)
    machine.trees.add(arguments[2])
    return outcome()
