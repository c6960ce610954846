"""Patience with a server that answers and fails: SQLite does not let writers wait long for each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn, TypeVar

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable

T = TypeVar("T")

BUSY_SECONDS = 30.0
POLL_SECONDS = 0.05


class Failing(Unavailable):
    """The server answers, and could not do it: its database is locked by another writer, away, or without room."""


def while_busy(change: Callable[[], T]) -> T:
    """What *change* returns; where it raises Failing it is called again, for a while."""
    failed: list[Failing] = []

    def attempt() -> Callable[[], T] | None:
        try:
            found = change()
        except Failing as error:
            failed[:] = [error]
            return None
        except Unavailable as error:
            return partial(_raise, error)  # with who does not answer at all the caller is patient
        return lambda: found

    try:
        done = wait_until(attempt, what="a change", timeout=BUSY_SECONDS, interval=POLL_SECONDS)
    except Unavailable:
        raise failed[-1] from None
    return done()


def _raise(error: Exception) -> NoReturn:
    raise error
