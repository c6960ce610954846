"""PerThread: libcloud's drivers keep their connection in themselves, so each thread has one of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(Generic[T]):
    """``get()``: the driver of the calling thread, made by *make* when the thread first asks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> T:
        found: T | None = getattr(self._local, "driver", None)
        if found is None:
            found = self._make()
            self._local.driver = found
        return found
