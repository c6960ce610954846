"""Trouble: says in the journal when something begins to go wrong and when it is over, and nothing in between."""

from __future__ import annotations

import sys
import threading


def say(text: str) -> None:
    """One line in the journal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Trouble:
    """*what* is what cannot be done meanwhile."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._told = ""

    def begins(self, text: str) -> None:
        with self._lock:
            fresh, self._told = text != self._told, text
        if fresh:
            say(f"cannot {self._what}: {text}")

    def ends(self) -> None:
        if not self._told:
            return
        with self._lock:
            told, self._told = self._told, ""
        if told:
            say(f"can {self._what} again")
