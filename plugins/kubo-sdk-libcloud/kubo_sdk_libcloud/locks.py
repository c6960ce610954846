"""Locks: one for each name, so that two threads of this process never make the same thing at once."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Locks:
    """``with locks.hold(name)``: any hashable name."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Any, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def hold(self, *name: Any) -> Iterator[None]:
        with self._guard:
            lock = self._locks[name]
        with lock:
            yield
