"""What the scripts of `nodes.etcd_restore` do on a fake machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kubo_sdk.nodes.etcd import JOIN_FILE, UNIT
from kubo_sdk.nodes.etcd_restore import LOG_BYTES, NO_ROOM, READY, RECEIVED, SPARE_BYTES, WRONG_PLACE
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.testing.fakes.etcd_snapshot import restored
from kubo_sdk.testing.fakes.push import outcome

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

MARK = "etcd.restored"


def look(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    directory, token, size = arguments
    place = machine.place_of(directory)
    if _new(token) in place or place.get(MARK) == token:
        return outcome(stdout=READY.encode())
    _forget(machine, directory, but=token)
    have = len(machine.files.get(_file(token), b""))
    free = _free(machine, directory)
    needed = 2 * int(size) - have + LOG_BYTES + SPARE_BYTES
    if machine.disk_is_full or (free is not None and free < needed):
        return outcome(NO_ROOM, stderr=b"/var/lib/kubo/disk has 1 MB free, and 200 MB are needed\n")
    return outcome(stdout=str(have).encode())


def receive(machine: FakeMachine, arguments: list[str], stdin: bytes) -> Outcome:
    token, offset = arguments
    have = machine.files.get(_file(token), b"")
    if len(have) < int(offset):
        return outcome(WRONG_PLACE, stderr=b"its first bytes are not there")
    machine.files[_file(token)] = have[: int(offset)] + stdin
    return outcome()


def build(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """All members of one restore come to share one cluster, as their flags say."""
    directory, token, digest, _tool, *flags = arguments
    place = machine.place_of(directory)
    if _new(token) in place:
        return outcome()
    snapshot = machine.files.get(_file(token), b"")
    if hashlib.sha256(snapshot).hexdigest() != digest:
        machine.files.pop(_file(token), None)
        return outcome(1, stderr=b"the snapshot arrived damaged")
    named = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
    wanted = [pair.split("=", 1) for pair in named["initial-cluster"].split(",")]
    identity = (named["initial-cluster-token"], frozenset((name, url) for name, url in wanted))
    bootstraps = machine.site.bootstraps
    if identity not in bootstraps:
        bootstraps[identity] = restored(snapshot, machine.cloud.clock)
        for name, url in wanted:
            bootstraps[identity].add(name, (url,))
    data = bootstraps[identity]
    place[_new(token)] = (data, next(each for each in data.members.values() if each.name == named["name"]))
    del machine.files[_file(token)]
    return outcome()


def replace(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    directory, token = arguments
    place = machine.place_of(directory)
    machine.stop(UNIT)
    if _new(token) in place:
        place[MARK] = token
        place["etcd"] = place.pop(_new(token))
    machine.files.pop(JOIN_FILE, None)
    machine.start(UNIT)
    return outcome()


def discard(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    _forget(machine, arguments[0], but="")
    return outcome()


def _forget(machine: FakeMachine, directory: str, *, but: str) -> None:
    place = machine.place_of(directory)
    for name in [each for each in place if each.startswith("etcd.restore-") and each != _new(but)]:
        del place[name]
    for path in [each for each in machine.files if each.startswith(f"{RECEIVED}/") and each != _file(but)]:
        del machine.files[path]


def _free(machine: FakeMachine, directory: str) -> int | None:
    """The bytes that are free on the machine's persistent disk; None where nobody set its size."""
    return machine.place_of(directory).get("free")


def _new(token: str) -> str:
    return f"etcd.{token}"


def _file(token: str) -> str:
    return f"{RECEIVED}/{token}.db"
