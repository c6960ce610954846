"""Survey: looks at all machines at once, within a bound; those who ask at the same time share one look."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Condition
from time import monotonic

from attrs import frozen

from kubo_sdk.errors import AuthError, Conflict, ProviderError, Unavailable
from kubo_sdk.ports.shell import Shell
from kubo_sdk_static.claims import Look, parse_look
from kubo_sdk_static.machines_file import Machine
from kubo_sdk_static.scripts import LOOK

log = logging.getLogger(__name__)

Reach = Callable[[Machine], Shell]

MOST_AT_ONCE = 128
REINSTALLED = "; if it was reinstalled, put its new host key into the machines file"
# Nobody waits longer than this for a machine that did not answer the last time either.
SECOND_CHANCE = 2.0


@frozen(kw_only=True)
class Sight:
    """One machine as it was seen.  ``look`` is None when it did not answer, for the reason in ``trouble``."""

    machine: Machine
    look: Look | None = None
    trouble: ProviderError | None = None


class Survey:
    """Looks at *machines* through *reach*; each has *patience* seconds to answer."""

    def __init__(self, machines: Sequence[Machine], reach: Reach, patience: float) -> None:
        self._machines = machines
        self._reach = reach
        self._patience = patience
        self._pool = ThreadPoolExecutor(min(MOST_AT_ONCE, len(machines)), thread_name_prefix="kubo-static")
        self._asked: dict[str, Future[Look]] = {}
        self._silent: frozenset[str] = frozenset()
        self._turn = Condition()
        self._begun = self._ended = 0
        self._running = False
        self._found: tuple[Sight, ...] = ()

    def take(self) -> tuple[Sight, ...]:
        """How all machines are, seen after this call began.

        Raises what stands in the way when not one of them can be looked at: nobody knows anything then.
        """
        with self._turn:
            wanted = self._begun + 1
            while self._running and self._ended < wanted:
                self._turn.wait()
            if self._ended >= wanted:
                return _checked(self._found)
            self._running = True
            self._begun += 1
        try:
            found = self._look_at_all()
        except BaseException:
            with self._turn:
                self._running = False
                self._turn.notify_all()
            raise
        with self._turn:
            self._found, self._ended, self._running = found, self._begun, False
            self._turn.notify_all()
        return _checked(found)

    def look_at(self, machine: Machine) -> Look:
        """How one machine is.  Raises what stands in the way."""
        try:
            outcome = self._reach(machine).run(["sh", "-c", LOOK], timeout=self._patience)
            return parse_look(outcome.check("looking at it").decode(errors="replace"))
        except ProviderError as error:
            raise named(error, machine) from error

    def each(self, calls: Sequence[Callable[[], object]]) -> None:
        """Run all of *calls* at once.  What one of them raises is logged: they are kindnesses."""
        for asked in [self._pool.submit(call) for call in calls]:
            error = asked.exception()
            if error is not None:
                log.info("%s", error)

    def _look_at_all(self) -> tuple[Sight, ...]:
        started = monotonic()
        hung = {machine.name for machine in self._machines if not self._ask(machine)}
        asked = {name: self._asked[name] for name in (machine.name for machine in self._machines)}
        usual = [future for name, future in asked.items() if name not in {*self._silent, *hung}]
        wait(usual, timeout=self._patience)
        wait(asked.values(), timeout=max(0.0, started + min(SECOND_CHANCE, self._patience) - monotonic()))
        found = tuple(
            self._sight(machine, None if machine.name in hung else asked[machine.name]) for machine in self._machines
        )
        self._silent = frozenset(sight.machine.name for sight in found if sight.look is None)
        return found

    def _ask(self, machine: Machine) -> bool:
        """Ask unless an earlier question hangs: that holds one thread at most, and its answer would be an old one."""
        earlier = self._asked.get(machine.name)
        if earlier is not None and not earlier.done():
            return False
        self._asked[machine.name] = self._pool.submit(self.look_at, machine)
        return True

    def _sight(self, machine: Machine, asked: Future[Look] | None) -> Sight:
        if asked is None or not asked.done():
            trouble: ProviderError = Unavailable(f"machine {machine.name} did not answer in time")
            return Sight(machine=machine, trouble=trouble)
        error = asked.exception()
        if error is None:
            return Sight(machine=machine, look=asked.result())
        if not isinstance(error, ProviderError):
            raise error
        return Sight(machine=machine, trouble=error)


def named(error: ProviderError, machine: Machine) -> ProviderError:
    """The error, with the name of the machine where it has none, and with what to do about another host key."""
    text = str(error)
    if isinstance(error, AuthError) and REINSTALLED not in text:
        text += REINSTALLED
    if machine.name not in text:
        text = f"machine {machine.name}: {text}"
    return type(error)(text, retry_after=error.retry_after) if text != str(error) else error


def _checked(sights: tuple[Sight, ...]) -> tuple[Sight, ...]:
    troubles = [sight.trouble for sight in sights if sight.trouble is not None]
    if len(troubles) < len(sights):
        return sights
    refused = next((error for error in troubles if isinstance(error, AuthError | Conflict)), None)
    if refused is not None:
        raise type(refused)(str(refused))
    raise Unavailable(f"none of {len(sights)} machines answers, so nobody knows whose they are: {troubles[0]}")


def by_name(sights: Sequence[Sight]) -> Mapping[str, Sight]:
    return {sight.machine.name: sight for sight in sights}
