"""The recursor beside us: what it has in its caches and must forget, and its zones."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from kubo_sdk_powerdns.cluster.agent.trouble import Trouble

CONTROL = "/usr/bin/rec_control"
SECONDS = 10.0
# More names than these are not named any more: the whole zone is forgotten.
MOST_NAMES = 256
# A question that was on its way while the catalog changed may bring the old answer back after it was forgotten.
STRAGGLERS_SECONDS = 0.2


class Recursor:
    """*directory* is where its control socket is.  One that is away has nothing in its caches."""

    def __init__(self, directory: str, zones: Iterable[str]) -> None:
        self._directory = directory
        self._zones = tuple(zones)
        self._trouble = Trouble("tell the recursor anything")

    def forget(self, names: Iterable[str]) -> None:
        """Wipe these names from its caches."""
        listed = sorted(names)
        wiped = [f"{name}." for name in listed] if len(listed) <= MOST_NAMES else [f"{zone}.$" for zone in self._zones]
        if wiped:
            self._order("wipe-cache", *wiped)

    def reload_zones(self) -> None:
        """Let it read its file of zones and the machine's hosts again."""
        self._order("reload-zones")

    def _order(self, *words: str) -> None:
        command = (CONTROL, f"--socket-dir={self._directory}", *words)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._trouble.begins(str(error))
            return
        if done.returncode == 0:
            self._trouble.ends()
        elif Path(self._directory, "pdns_recursor.controlsocket").exists():
            self._trouble.begins(f"{words[0]} ends with {(done.stderr or done.stdout).strip()}")


class Forgetter:
    """Collects names while the recursor is busy forgetting others; `run` in a thread of its own."""

    def __init__(self, forget: Callable[[Iterable[str]], None]) -> None:
        self._forget = forget
        self._names: set[str] = set()
        self._wake = threading.Condition()

    def add(self, names: set[str]) -> None:
        with self._wake:
            self._names |= names
            self._wake.notify()

    def run(self) -> None:
        """Never returns."""
        again: set[str] = set()
        while True:
            names = self._take(wait=STRAGGLERS_SECONDS if again else None)
            self._forget(names | again)
            again = names

    def _take(self, wait: float | None) -> set[str]:
        with self._wake:
            if not self._names:
                self._wake.wait(wait)
            taken, self._names = self._names, set()
            return taken


def write_forwards(path: str, text: str) -> bool:
    """Write the file of zones where it says something else; whether it did."""
    target = Path(path)
    if target.exists() and target.read_text() == text:
        return False
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(target)
    return True
