"""Deadline: cancels what takes too long, by the clock that everything else goes by."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Cancelled


@contextmanager
def deadline(clock: Clock, token: CancelToken, seconds: float, reason: str) -> Iterator[None]:
    """Cancel *token* for *reason* when the block runs for more than *seconds*."""
    done = CancelToken()

    def wait() -> None:
        try:
            done.sleep(clock, seconds)
        except Cancelled:
            return
        token.cancel(reason)

    thread = threading.Thread(target=wait, name="kubo-deadline", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.cancel("it ended in time")
        thread.join()
