"""CancelToken: asks an operation to stop between two steps and inside every wait."""

from __future__ import annotations

import threading
import weakref
from datetime import datetime

from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Cancelled


class CancelToken:
    """Set once, from any thread or signal handler."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.RLock()
        self._parent: CancelToken | None = None
        # A token may outlive many operations; what they made of it goes with them.
        self._children: weakref.WeakSet[CancelToken] = weakref.WeakSet()
        self.reason = ""

    def child(self) -> CancelToken:
        """A token that is set with this one, and can be set alone."""
        child = CancelToken()
        child._parent = self
        with self._lock:
            self._children.add(child)
            if self.is_cancelled:
                child.cancel(self.reason)
        return child

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self, reason: str) -> None:
        with self._lock:
            self.reason = reason
            self._event.set()
            for child in tuple(self._children):
                child.cancel(reason)

    def check(self) -> None:
        """Raise Cancelled once the token is set."""
        if self.is_cancelled:
            raise Cancelled(f"stopped: {self.reason}; run the same command again to go on")

    def sleep(self, clock: Clock, seconds: float) -> None:
        """Sleep on *clock*, waking up early to raise Cancelled."""
        clock.sleep(seconds, self._event)
        self.check()


class CancellableClock:
    """A clock whose sleep ends as soon as one of the tokens is set.  Pass it to `wait_until` inside a step."""

    def __init__(self, clock: Clock, token: CancelToken) -> None:
        self._clock = clock
        self._token = token

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:  # noqa: ARG002 (the token wakes it)
        self._token.sleep(self._clock, seconds)
