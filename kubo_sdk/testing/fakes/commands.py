"""The commands fake machines understand: the core's own scripts by their text, programs by their name.

To teach them another one, write a function ``(machine, arguments, stdin) -> Outcome`` and enter it in one of the two
tables.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from kubo_sdk.nodes.etcd import JOIN_FILE, UNIT
from kubo_sdk.nodes.etcd_join import FORGET, JOIN
from kubo_sdk.nodes.etcd_recover import RECOVER
from kubo_sdk.nodes.etcd_restore import BUILD, DISCARD, LOOK, RECEIVE, REPLACE
from kubo_sdk.nodes.preparation_script import HAS_BUNDLE, PREPARE
from kubo_sdk.nodes.probe_script import PROBE
from kubo_sdk.nodes.script import PROVE, PUSH, READ, ROLL_BACK, START
from kubo_sdk.nodes.transfer_script import RECEIVE as RECEIVE_PIECE
from kubo_sdk.nodes.transfer_script import RESUME, UNPACK
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.steps import control_plane, install_release, pods, rollback
from kubo_sdk.steps.quiesce import QUIESCE
from kubo_sdk.testing.fakes import preparation, push, restore
from kubo_sdk.testing.fakes.push import STARTED, outcome
from kubo_sdk.testing.fakes.units import StartFailed, full_name
from kubo_sdk.testing.fakes.vitals import vital_signs

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

# So often a program must have ended to be called crashed.
ENDED = 5

Meaning = Callable[["FakeMachine", list[str], bytes], Outcome]


def scripts() -> dict[str, Meaning]:
    """What ``sh -c SCRIPT`` means, by the script."""
    return {
        READ: push.read,
        PUSH: push.push,
        START: push.start,
        PROVE: push.prove,
        ROLL_BACK: push.roll_back,
        PROBE: vital_signs,
        JOIN: _join,
        FORGET: _forget,
        RECOVER: _recover,
        LOOK: restore.look,
        RECEIVE: restore.receive,
        BUILD: restore.build,
        REPLACE: restore.replace,
        DISCARD: restore.discard,
        control_plane.SETTLED: _settled,
        rollback.CRASHED: _crashed,
        QUIESCE: _quiesce,
        control_plane.STARTED_AT: _kubelet_started_at,
        pods.BEHIND_IN_TRUST: _nothing,
        pods.TOKEN_HEADS: _nothing,
        install_release.PRESENT: preparation.tree_is_there,
        RESUME: preparation.resume,
        RECEIVE_PIECE: preparation.receive,
        UNPACK: preparation.unpack,
        PREPARE: preparation.prepare,
        HAS_BUNDLE: preparation.has_bundle,
    }


def programs() -> dict[str, Meaning]:
    """What a command means, by its program."""
    return {
        "systemctl": _systemctl,
        "true": lambda _machine, _arguments, _stdin: outcome(),
        "echo": lambda _machine, arguments, _stdin: outcome(stdout=" ".join(arguments).encode() + b"\n"),
        "cat": _cat,
        "test": _test,
        "rm": _rm,
    }


def _nothing(_machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    """There are no containers, so no pod is behind."""
    return outcome()


def _join(machine: FakeMachine, arguments: list[str], stdin: bytes) -> Outcome:
    """`etcd_join.JOIN`: what is in the data directory belongs to no member any more."""
    machine.stop(UNIT)
    try:
        machine.place_of(arguments[0]).pop("etcd", None)
    except StartFailed as failure:
        return outcome(1, stderr=str(failure).encode())
    machine.files[JOIN_FILE] = stdin
    if STARTED + UNIT in machine.files:
        machine.start(UNIT)
    return outcome()


def _forget(machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    """`etcd_join.FORGET`."""
    machine.files[STARTED + UNIT] = b"-\n"
    return outcome()


def _recover(machine: FakeMachine, _arguments: list[str], stdin: bytes) -> Outcome:
    """`etcd_recover.RECOVER`: it starts alone, and anew with what it has then."""
    machine.stop(UNIT)
    machine.files[JOIN_FILE] = stdin
    machine.start(UNIT)
    machine.stop(UNIT)
    machine.files.pop(JOIN_FILE, None)
    machine.start(UNIT)
    return outcome()


def _settled(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    return outcome(0 if all(machine.unit_state(name) == "active" for name in arguments) else 1)


def _kubelet_started_at(machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    if machine.unit_state("kubelet.service") != "active":
        return outcome(stdout=b"\n")
    clock = machine.cloud.clock
    ago = timedelta(seconds=clock.time - machine.units["kubelet.service"].since)
    return outcome(stdout=f"@{int((clock.today - ago).timestamp())}\n".encode())


def _quiesce(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`quiesce.QUIESCE`."""
    for name in arguments:
        if STARTED + name in machine.files:
            machine.files[STARTED + name] = b"-\n"
        machine.stop(name)
    return outcome()


def _crashed(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`rollback.CRASHED`."""
    for name in arguments:
        unit = machine.units.get(full_name(name))
        if unit is not None and unit.state == "restarting" and unit.restarts >= ENDED:
            return outcome(1, f"{unit.name} ended {unit.restarts} times\n{unit.reason}\n".encode())
    return outcome()


def _systemctl(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    words = [word for word in arguments if not word.startswith("-")]
    verb, names = words[0] if words else "", [full_name(name) for name in words[1:]]
    match verb:
        case "is-active":
            states = [machine.unit_state(name) for name in names]
            text = "" if "--quiet" in arguments or "-q" in arguments else "".join(f"{state}\n" for state in states)
            return outcome(0 if "active" in states else 3, text.encode())
        case "start" | "restart" | "stop":
            for name in names:
                {"start": machine.start, "restart": machine.restart, "stop": machine.stop}[verb](name)
        case "daemon-reload" | "reset-failed" | "list-jobs" | "enable" | "disable":
            pass
        case _:
            return outcome(1, stderr=f"Unknown command verb {verb}.".encode())
    return outcome()


def _cat(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    missing = [path for path in arguments if path not in machine.files]
    if missing:
        return outcome(1, stderr=f"cat: {missing[0]}: No such file or directory".encode())
    return outcome(stdout=b"".join(machine.files[path] for path in arguments))


def _test(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    path = arguments[-1]
    there = path in machine.files or any(each.startswith(f"{path}/") for each in machine.files)
    return outcome(0 if there else 1)


def _rm(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    for path in (word for word in arguments if not word.startswith("-")):
        for file in [file for file in machine.files if file == path or file.startswith(f"{path}/")]:
            del machine.files[file]
    return outcome()
