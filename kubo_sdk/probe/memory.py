"""Memory: the last answer of somebody who is asked again and again, and how old it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from datetime import datetime
from typing import Generic, TypeVar

from attrs import define, field

from kubo_sdk.errors import KuboError
from kubo_sdk.probe.asking import AskingThreads

T = TypeVar("T")

IN_TIME = "no answer in time"
LONGEST_TROUBLE = 160


@define(kw_only=True)
class Memory(Generic[T]):
    """``at`` is when the value was asked for; None before the first answer.  ``trouble`` says why the last question
    brought none, else it is empty; ``error`` is what was raised.
    """

    who: str
    value: T
    at: datetime | None = None
    trouble: str = ""
    error: BaseException | None = None
    _question: Future[T] | None = field(default=None, init=False)
    _asked: datetime | None = field(default=None, init=False)

    def ask(self, threads: AskingThreads, question: Callable[[], T], now: datetime) -> None:
        """Ask anew.  What is still under way is waited for instead, and what came too late last time is taken now."""
        if self._question is not None and not self._question.done():
            return
        self._take()
        self._question, self._asked = threads.ask(object(), question), now

    def settle(self, patience: float) -> None:
        """Wait *patience* seconds for the answer and keep it, or why there is none."""
        if self._question is not None:
            wait([self._question], patience)
            self._take()

    def _take(self) -> None:
        if self._question is None:
            return
        self.trouble = trouble_of(self._question)
        if not self._question.done():
            return
        self.error = self._question.exception()
        if self.error is None:
            self.value, self.at = self._question.result(), self._asked
        self._question = None


def trouble_of(answer: Future[T]) -> str:
    """Why *answer* brought nothing, on one line; empty when it brought something."""
    if not answer.done() or answer.cancelled():
        return IN_TIME
    error = answer.exception()
    if error is None:
        return ""
    if not isinstance(error, Exception):
        raise error  # Somebody wants this process to end.
    text = str(error) if isinstance(error, KuboError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:LONGEST_TROUBLE] or type(error).__name__
