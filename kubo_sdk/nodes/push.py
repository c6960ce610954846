"""Puts on a machine what it lacks: one round trip that sends only what differs and restarts only what it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Set

from attrs import frozen

from kubo_sdk.errors import Conflict, Unavailable
from kubo_sdk.nodes.changes import Changes, changes
from kubo_sdk.nodes.machine import MachineManifest, parse_machine
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.payload import is_needed, payload
from kubo_sdk.nodes.script import (
    INTERRUPTED,
    NO_SYSTEMD,
    NOTHING_KEPT,
    OUTDATED,
    PROVE,
    PUSH,
    READ,
    ROLL_BACK,
    START,
)
from kubo_sdk.ports.node import StartAfter
from kubo_sdk.ports.shell import Outcome, Shell

__all__ = [
    "Changes",
    "MachineManifest",
    "PushResult",
    "changes",
    "prove",
    "push",
    "read_manifest",
    "roll_back",
    "start_units",
]

PUSH_SECONDS = 120.0
READ_SECONDS = 60.0


@frozen(kw_only=True)
class PushResult:
    """What was done: paths, and names of units.  Units were asked to start; whether they run is for others to see."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    started: tuple[str, ...] = ()


def read_manifest(shell: Shell, *, timeout: float = READ_SECONDS) -> MachineManifest | None:
    """What was put on the machine before; None for a machine nothing was put on."""
    outcome = shell.run(["sh", "-c", READ], timeout=timeout)
    return parse_machine(outcome.check("reading what the machine carries").decode())


def push(
    shell: Shell,
    wanted: NodeManifest,
    present: MachineManifest | None,
    phases: Set[StartAfter],
    *,
    on_trial: bool = False,
) -> PushResult:
    """Make the machine carry *wanted*.  May be cut off at any point and called again.

    *on_trial*: the machine keeps what it carried before, until `prove` or `roll_back`.

    *present* is what `read_manifest` said; when the machine has moved since, it is read again.  A unit that was never
    started is started when its phase is in *phases*; one that was is restarted when it or its files changed.
    Raises Unavailable, ShellError, and Conflict when somebody else keeps changing the machine.
    """
    for _ in range(2):
        change = changes(wanted, present)
        if not is_needed(change, wanted, phases):
            return PushResult()
        outcome = shell.run(
            ["sh", "-c", PUSH], stdin=payload(change, wanted, phases, on_trial=on_trial), timeout=PUSH_SECONDS
        )
        if outcome.exit_code != OUTDATED:
            _check(outcome, "configuring the machine")
            return PushResult(written=change.write, removed=change.remove, stopped=change.stop, **_told(outcome.stdout))
        present = read_manifest(shell)
    raise Conflict("the machine is being configured by somebody else at this moment; wait for that to end, then retry")


def start_units(shell: Shell, names: Iterable[str]) -> PushResult:
    """Start those of the named units that were put on the machine but do not run with what was put there.

    Raises Conflict when the machine was never configured to the end: `push` first.
    """
    outcome = shell.run(["sh", "-c", START], stdin=" ".join(names).encode() + b"\n", timeout=PUSH_SECONDS)
    if outcome.exit_code == INTERRUPTED:
        raise Conflict("the machine was never configured to the end; configure it again before its units are started")
    _check(outcome, "starting units on the machine")
    return PushResult(**_told(outcome.stdout))


def prove(shell: Shell) -> None:
    """What the machine carries is seen to serve: it forgets what was there before."""
    _check(shell.run(["sh", "-c", PROVE]), "ending the trial of what the machine carries")


def roll_back(shell: Shell) -> bool:
    """Put back what was there before the change that is on trial, and restart what that concerns; False: there is none.

    May be cut off at any point: until the end the machine counts as changed half.
    """
    outcome = shell.run(["sh", "-c", ROLL_BACK], timeout=PUSH_SECONDS)
    if outcome.exit_code == NOTHING_KEPT:
        return False
    _check(outcome, "rolling the machine back")
    return True


def _check(outcome: Outcome, what: str) -> None:
    if outcome.exit_code == NO_SYSTEMD:
        raise Unavailable(f"{what} failed: its systemd does not answer; look at its console, then retry")
    outcome.check(what)


def _told(stdout: bytes) -> dict[str, tuple[str, ...]]:
    told = (line.split() for line in stdout.decode(errors="replace").splitlines())
    return {words[0]: tuple(words[1:]) for words in told if words and words[0] in ("restarted", "started")}
