"""Trouble: what can go wrong with Cloud Foundry, in one sentence each, and who says so in the journal."""

from __future__ import annotations

import sys
import threading
from enum import StrEnum


class Kind(StrEnum):
    """What it means for whoever asked.  Only AWAY passes by itself."""

    AWAY = "away"  # nobody answers, or cannot now
    DISTRUST = "distrust"  # one side does not accept the other's certificate
    LOGIN = "login"  # the UAA refuses the client
    SCOPE = "scope"  # the token is not good enough
    MISSING = "missing"  # there is no such thing
    REFUSED = "refused"  # the request is wrong
    TAKEN = "taken"  # somebody else has it


class RoutingError(Exception):
    """One clear sentence: what, where, what to do."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def say(text: str) -> None:
    """One line in the journal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Trouble:
    """Says when something begins to go wrong and when it is over, and nothing in between.

    *what* is what cannot be done meanwhile.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self.told = ""

    def begins(self, text: str) -> None:
        with self._lock:
            fresh, self.told = text != self.told, text
        if fresh:
            say(f"cannot {self._what}: {text}")

    def ends(self) -> None:
        with self._lock:
            told, self.told = self.told, ""
        if told:
            say(f"can {self._what} again")
