"""Faults: what goes wrong with the calls of the ports and of the shells, and when."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from attrs import define

from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk.testing.fakes.clock import VirtualClock

P = ParamSpec("P")
R = TypeVar("R")

ANY = "*"


class DirectorKilled(BaseException):
    """The process was killed at this call.  It can do nothing any more until `Faults.revive`."""


@define(kw_only=True)
class _Rule:
    """Matches calls by name and subject, and acts on those numbered *calls* among them; on all when None."""

    method: str
    about: str | None
    calls: frozenset[int] | None
    delay: float = 0.0
    error: Callable[[], BaseException] | None = None
    lost: bool = False
    kills: bool = False
    per_second: float = 0.0
    seen: int = 0
    window_ends: float = 0.0
    passed: int = 0

    def hits(self, method: str, about: str) -> bool:
        if not fnmatchcase(method, self.method) or self.about not in (None, about):
            return False
        self.seen += 1
        return self.calls is None or self.seen in self.calls


class Faults:
    """Calls are named ``cpi.create_vm``, ``store.generate_many``, ``shell.run``; patterns such as ``cpi.*`` and ``*``
    match several.  Calls are counted from 1 at the moment the fault is set.  *about* limits it to calls about one
    instance (``worker/1``), credential, record or endpoint.  Thread-safe.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._dead = False
        self.counts: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """How many calls of ports and shells there were so far."""
        return self.counts.total()

    @property
    def is_dead(self) -> bool:
        """Whether the director was killed and not revived."""
        return self._dead

    def fail(
        self,
        method: str = ANY,
        *,
        call: int | Iterable[int] | None = 1,
        about: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """The call fails with *error* and has no effect.  *call* is a number, several, or None for every call."""
        self._add(method, call, about, error=lambda: error or Unavailable(f"{method} failed on purpose; try again"))

    def lose_answer(self, method: str = ANY, *, call: int | Iterable[int] | None = 1, about: str | None = None) -> None:
        """The call has its effect, and the caller gets Unavailable."""
        self._add(method, call, about, lost=True)

    def delay(
        self,
        method: str = ANY,
        seconds: float = 1.0,
        *,
        call: int | Iterable[int] | None = None,
        about: str | None = None,
    ) -> None:
        """The call takes *seconds* of virtual time longer."""
        self._add(method, call, about, delay=seconds)

    def throttle(self, method: str, *, per_second: float) -> None:
        """More calls than that are refused with the time after which to ask again."""
        self._add(method, None, None, per_second=per_second)

    def kill(self, *, call: int = 1, method: str = ANY, after: bool = False) -> None:
        """The director dies at that call, or right *after* its effect: this call and all later ones raise
        DirectorKilled, and its connections break.
        """
        self._add(method, call, None, kills=True, lost=after)

    def revive(self) -> None:
        """Another director may work."""
        self._dead = False

    def clear(self) -> None:
        """Forget every fault, and revive."""
        with self._lock:
            self._rules.clear()
        self.revive()

    def around(self, method: str, about: str, work: Callable[[], R]) -> R:
        """Do *work* as the call *method*, with what is to go wrong with it."""
        with self._clock.working():
            hits = self._meet(method, about)
            for rule in hits:
                self._before(rule, method)
            try:
                return work()
            finally:  # An error is an answer, too.
                for rule in hits:
                    self._after(rule, method)

    def _meet(self, method: str, about: str) -> list[_Rule]:
        with self._lock:
            self.counts[method] += 1
            if self._dead:
                raise DirectorKilled(method)
            return [rule for rule in self._rules if rule.hits(method, about)]

    def _before(self, rule: _Rule, method: str) -> None:
        if rule.delay:
            self._clock.lapse(rule.delay)
        if rule.per_second:
            self._hold_back(rule, method)
        if rule.error is not None:
            raise rule.error()
        if rule.kills and not rule.lost:
            self._die(method)

    def _hold_back(self, rule: _Rule, method: str) -> None:
        """So many calls in a second, or one call in so many seconds."""
        now, window, most = self._clock.time, max(1.0, 1 / rule.per_second), max(1, int(rule.per_second))
        with self._lock:
            if now >= rule.window_ends:
                rule.window_ends, rule.passed = now + window, 0
            if rule.passed < most:
                rule.passed += 1
                return
        raise ProviderError(f"{method} is called too often; slow down", retry_after=rule.window_ends - now)

    def _after(self, rule: _Rule, method: str) -> None:
        if rule.kills and rule.lost:
            self._die(method)
        if rule.lost:
            raise Unavailable(f"{method} did not answer in time; try again")

    def _die(self, method: str) -> None:
        self._dead = True
        raise DirectorKilled(method)

    def _add(self, method: str, call: int | Iterable[int] | None, about: str | None, **what: Any) -> None:
        calls = None if call is None else frozenset([call] if isinstance(call, int) else call)
        with self._lock:
            self._rules.append(_Rule(method=method, about=about, calls=calls, **what))


class _Faulty(Protocol):
    port: str
    faults: Faults


F = TypeVar("F", bound=_Faulty)


def port_call(
    about: Callable[[Any], str] = lambda first: str(first),  # noqa: PLW0108 (str itself is a type to mypy)
) -> Callable[[Callable[Concatenate[F, P], R]], Callable[Concatenate[F, P], R]]:
    """Send a method through the faults of its object.  *about* makes a call's subject of its first argument."""

    def decorate(function: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
        @wraps(function)
        def call(self: F, /, *args: P.args, **kwargs: P.kwargs) -> R:
            first: Any = next(iter((*args, *kwargs.values())), "")
            return self.faults.around(
                f"{self.port}.{function.__name__}", about(first), lambda: function(self, *args, **kwargs)
            )

        return call

    return decorate
