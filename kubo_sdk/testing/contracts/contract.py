"""What all contract suites share: skips that name their reason, and patience with what is slow to be seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

import pytest

from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError, ProviderError, Unavailable

A = TypeVar("A")
T = TypeVar("T")
E = TypeVar("E", bound=KuboError)


class ReducedContract(UserWarning):
    """A suite was run with less than its full measure; the report says so."""


def require_flag(info: object, flag: str) -> None:
    """Skip the test unless *info* claims *flag*; the reason names the flag."""
    if not getattr(info, flag):
        pytest.skip(f"{type(info).__name__}.{flag} is {getattr(info, flag)!r}")


def not_offered(fixture: str, what: str) -> NoReturn:
    """Skip the test, because the author's suite has no *fixture*."""
    pytest.skip(f"no fixture {fixture!r} is given, which {what}")


class Contract:
    """The base of every suite.

    ``patience``: how many seconds the world may take to show what was done to it.
    """

    patience = 30.0

    @pytest.fixture
    def clock(self) -> Clock:
        """What the suite waits by.  A provider that lives on a virtual clock gives that one."""
        return SystemClock()

    @pytest.fixture
    def reconnected(self) -> Any:
        """The same provider connected anew, as another process would: it knows nothing but what the world tells."""
        not_offered("reconnected", "is the same provider as another process connects it")

    @pytest.fixture
    def eventually(self, clock: Clock) -> Callable[..., None]:
        """``eventually(read, expected)``: fails unless ``read()`` equals *expected* within `patience`."""

        def check(read: Callable[[], T], expected: T) -> None:
            def matches() -> bool | None:
                return True if read() == expected else None

            try:
                wait_until(matches, what="it", timeout=self.patience, interval=0.05, clock=clock)
            except Unavailable:
                found = read()
                assert found == expected

        return check


def at_once(call: Callable[[A], T], arguments: Iterable[A]) -> list[T]:
    """*call* for each of *arguments*, every one in a thread of its own, all let go at the same moment."""
    given = list(arguments)
    gate = threading.Barrier(len(given))

    def run(argument: A) -> T:
        gate.wait()
        return call(argument)

    with ThreadPoolExecutor(len(given)) as pool:
        return list(pool.map(run, given))


def at_once_through(connections: Sequence[Any], call: Callable[[Any, A], T], arguments: Iterable[A]) -> list[T]:
    """As `at_once`, with ``call(connection, argument)``: the connections take turns."""
    dealt = [(connections[turn % len(connections)], argument) for turn, argument in enumerate(arguments)]
    return at_once(lambda pair: call(*pair), dealt)


def error_of(call: Callable[[], object], kind: type[E]) -> E:
    """The error of exactly that *kind* that *call* raises.  Anything else fails the test and says what came instead."""
    try:
        found = call()
    except kind as error:
        return error
    except Exception as error:
        pytest.fail(f"{type(error).__name__} where {kind.__name__} belongs: {error}")
    pytest.fail(f"it returned {found!r} where {kind.__name__} belongs")


def assert_is_final(error: ProviderError) -> None:
    """An error that asking again cannot mend says so."""
    assert error.retry_after is None, f"{type(error).__name__} says to ask again after {error.retry_after} s: {error}"


def assert_is_one_sentence(error: Exception) -> None:
    """What, where and what to do; no trace, no empty text."""
    text = str(error)
    assert text.strip(), f"{type(error).__name__} without a message"
    assert "Traceback" not in text
