"""Waiting for the world: short polls with a bound, never a fixed sleep.  The clock's `sleep` is called only here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import Unavailable

T = TypeVar("T")

POLL_SECONDS = 0.2


def wait_until(
    probe: Callable[[], T | None],
    *,
    what: str,
    timeout: float,
    interval: float = POLL_SECONDS,
    growth: float = 1.0,
    clock: Clock | None = None,
) -> T:
    """Poll *probe* every *interval* seconds until it returns something other than None, and return that.

    The interval grows by the factor *growth* each time, for those who must not be asked too often.

    A probe may raise Unavailable to say "not yet"; its message becomes the reason when *timeout* seconds have passed
    and Unavailable is raised.
    """
    clock = clock or SystemClock()
    deadline = clock.monotonic() + timeout
    last = ""
    while True:
        try:
            found = probe()
        except Unavailable as error:
            found, last = None, f": {error}"
        if found is not None:
            return found
        if clock.monotonic() >= deadline:
            raise Unavailable(f"{what} did not happen within {timeout:g} s{last}", retry_after=None)
        clock.sleep(interval)
        interval *= growth
