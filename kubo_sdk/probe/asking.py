"""Asking threads: questions put to many at once, where one that hangs costs nobody else anything."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Any, TypeVar

from attrs import field, frozen

T = TypeVar("T")

MOST_THREADS = 512


@frozen
class _Work:
    """What the threads share.  They hold this and not their owner, so that they end when nobody needs them."""

    questions: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = field(factory=SimpleQueue)
    idle: Semaphore = field(factory=lambda: Semaphore(0))

    def run(self) -> None:
        while (taken := self.questions.get()) is not None:
            future, question = taken
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(question())
                except BaseException as error:
                    future.set_exception(error)
            del taken, future, question
            self.idle.release()


class AskingThreads:
    """At most *most* daemon threads.  Who waits for an answer only so long leaves it behind: nobody joins them, so
    not even the end of the program waits for a question that hangs.
    """

    def __init__(self, most: int = MOST_THREADS) -> None:
        self._most = most
        self._work = _Work()
        self._count = 0
        self._lock = Lock()
        self._open: dict[object, Future[Any]] = {}
        self._finalizer = weakref.finalize(self, _dismiss, self._work, most)

    def ask(self, about: object, question: Callable[[], T]) -> Future[T]:
        """Put *question* to a thread.  While an earlier one *about* the same has no answer, that one goes on instead,
        so what hangs holds one thread at most.
        """
        with self._lock:
            earlier = self._open.get(about)
            if earlier is not None and not earlier.done():
                return earlier
            future: Future[T] = Future()
            self._open[about] = future
            self._work.questions.put((future, question))
            if not self._work.idle.acquire(blocking=False) and self._count < self._most:
                self._count += 1
                Thread(target=self._work.run, name="kubo-probe", daemon=True).start()
        return future

    def tidy(self) -> None:
        """Keep no answers."""
        with self._lock:
            self._open = {about: future for about, future in self._open.items() if not future.done()}

    def close(self) -> None:
        """Let the threads end, each when its question is answered."""
        self._finalizer()


def _dismiss(work: _Work, most: int) -> None:
    for _ in range(most):
        work.questions.put(None)
