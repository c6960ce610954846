"""patiently: a question that AWS turns down is asked again, for a while and less and less often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import uniform
from typing import TypeVar

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk_libcloud.clouds.ec2.faults import Refusal

T = TypeVar("T")

# For how long a question is asked again, and the first pause at most.  Pauses differ, so that threads do not all come
# back at once.
AGAIN_SECONDS = 30.0
PAUSE_SECONDS = 1.0


def patiently(ask: Callable[[], T], what: str, seconds: float = AGAIN_SECONDS) -> T:
    """What *ask* answers, which changes nothing and may be asked again.  The last Unavailable after *seconds*.

    Where nobody answers at all, another question changes nothing: that is told at once.
    """
    refused: list[Unavailable] = []

    def answered() -> tuple[T, ...] | None:
        try:
            return (ask(),)
        except Unavailable as error:
            refused.append(error)
            return None if isinstance(error.__cause__, Refusal) else ()

    found: tuple[T, ...] = ()
    pause = uniform(0.3, 1) * PAUSE_SECONDS  # noqa: S311 - it only spreads them
    with suppress(Unavailable):
        found = wait_until(answered, what=what, timeout=seconds, interval=pause, growth=2.0)
    if not found:
        raise refused[-1]
    return found[0]
