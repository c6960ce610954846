"""Ctrl-C: once to stop between two steps, twice to abort at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from types import FrameType
from typing import Protocol

STOPPING = "stopping once the running steps have ended; press Ctrl-C again to abort at once"
SHOW_CURSOR = b"\x1b[?25h\n"
INTERRUPTED = 130


class Cancellable(Protocol):
    def cancel(self, reason: str) -> None: ...


@contextlib.contextmanager
def cancelling(token: Cancellable, note: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, the first SIGINT or SIGTERM cancels *token* and tells so through *note*; a second exits.

    The signal handler itself only puts into a queue, the one thing that is safe wherever it interrupts; a thread
    does the rest.
    """
    presses: SimpleQueue[str] = SimpleQueue()
    count = 0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            _abort()
        presses.put("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)

    def watch() -> None:
        reason = presses.get()
        if reason:
            token.cancel(reason)
            note(STOPPING)

    watcher = threading.Thread(target=watch, name="kubo-interrupt", daemon=True)
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    watcher.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        presses.put("")
        watcher.join()


def _abort() -> None:
    """Leave at once.  Every step may be run twice, so nothing needs to be put in order first."""
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(INTERRUPTED)
