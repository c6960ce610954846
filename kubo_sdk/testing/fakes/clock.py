"""VirtualClock: time that passes only when everybody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from attrs import define, field

from kubo_sdk.engine.clock import Clock

# How long a thread that looked at the clock may go on working before the others' time passes without it, in real
# seconds.  Work that takes longer costs virtual time only where somebody sleeps meanwhile.
GRACE = 0.005
# How often a sleeper that nobody wakes looks whether its event was set, in real seconds.
LOOK = 0.02
# How long, in real seconds, a daemon that has slept may work before the others' time passes without it.
DAEMON_GRACE = 0.15


@define(eq=False, order=False)
class _Sleeper:
    due: float
    order: int
    condition: threading.Condition
    awake: bool = field(default=False)

    def __lt__(self, other: _Sleeper) -> bool:
        return (self.due, self.order) < (other.due, other.order)


class VirtualClock:
    """Sleeping costs no real time.  Sleeps of several threads overlap, as they would on the real clock.

    Time jumps to the earliest end of a sleep once no thread is seen working.  A thread is seen from its last look at
    the clock on for a few real milliseconds, and as long as it is inside `working`.  The sleep of a daemon thread ends
    in its turn but makes no time pass by itself: a heartbeat would otherwise run away while others compute.  Then no
    time passes until it sleeps again or ends, so what it sees does not depend on the host.

    *start* is the time of day at the beginning (UTC), by default the real one, so that certificates made by either
    clock are valid.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime.now(UTC).replace(microsecond=0)
        self._time = 0.0
        self._lock = threading.RLock()
        self._order = count()
        self._asleep: list[_Sleeper] = []
        self._drivers = 0
        self._seen: dict[int, float] = {}
        self._busy: dict[int, int] = {}
        self._daemons: dict[threading.Thread, float] = {}

    @property
    def time(self) -> float:
        """Virtual seconds since the beginning.  Reading it does not count as work."""
        return self._time

    @property
    def today(self) -> datetime:
        """The time of day.  Reading it does not count as work."""
        return self._start + timedelta(seconds=self._time)

    @property
    def sleepers(self) -> int:
        """How many threads are asleep."""
        with self._lock:
            return sum(not sleeper.awake for sleeper in self._asleep)

    def now(self) -> datetime:
        self._look()
        return self.today

    def monotonic(self) -> float:
        self._look()
        return self._time

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        me, thread = threading.get_ident(), threading.current_thread()
        drives = not thread.daemon
        with self._lock:
            sleeper = _Sleeper(self._time + max(seconds, 0.0), next(self._order), threading.Condition(self._lock))
            heappush(self._asleep, sleeper)
            busy = self._busy.pop(me, 0)
            self._seen.pop(me, None)
            self._daemons.pop(thread, None)
            self._drivers += drives
            try:
                while self._time < sleeper.due and not (wake is not None and wake.is_set()):
                    self._wait(sleeper)
            finally:
                self._drivers -= drives
                self._wake_next(sleeper)
                if busy:
                    self._busy[me] = busy
                if not drives:
                    self._daemons[thread] = time.monotonic() + DAEMON_GRACE
                self._look()

    def lapse(self, seconds: float) -> None:
        """Something takes *seconds*.  As `sleep`, but nothing for a daemon thread, for which nobody waits."""
        if not threading.current_thread().daemon:
            self.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, for tests."""
        self.sleep(seconds)

    @contextmanager
    def working(self) -> Iterator[None]:
        """No time passes while the block runs, except where it sleeps itself."""
        me = threading.get_ident()
        with self._lock:
            self._busy[me] = self._busy.get(me, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                left = self._busy.get(me, 1) - 1
                if left:
                    self._busy[me] = left
                else:
                    self._busy.pop(me, None)

    def _look(self) -> None:
        self._seen[threading.get_ident()] = time.monotonic()

    def _wait(self, sleeper: _Sleeper) -> None:
        """Wait for one's turn, or, when it is one's turn and nobody works, let the time pass."""
        if self._first() is not sleeper or not self._drivers:
            sleeper.condition.wait(LOOK)
            return
        work = self._work()
        if work > 0:
            sleeper.condition.wait(work)
        else:
            self._time = sleeper.due

    def _wake_next(self, sleeper: _Sleeper) -> None:
        sleeper.awake = True
        first = self._first()
        if first is not None:
            first.condition.notify()

    def _first(self) -> _Sleeper | None:
        while self._asleep and self._asleep[0].awake:
            heappop(self._asleep)
        return self._asleep[0] if self._asleep else None

    def _work(self) -> float:
        """How long, in real seconds, somebody may still be working; 0 when nobody is."""
        if self._busy:
            return GRACE
        newest = time.monotonic() - GRACE
        for daemon, until in tuple(self._daemons.items()):
            if daemon.is_alive() and newest < until:
                return GRACE
            self._daemons.pop(daemon, None)
        for thread, seen in tuple(self._seen.items()):
            if seen < newest:
                self._seen.pop(thread, None)
        return max(self._seen.values()) - newest if self._seen else 0.0


_: type[Clock] = VirtualClock
