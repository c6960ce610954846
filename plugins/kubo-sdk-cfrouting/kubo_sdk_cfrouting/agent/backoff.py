"""How long to wait: renewals and repetitions, never two machines at the same moment.  Pure but for chance."""

from __future__ import annotations

import random

FIRST_SECONDS = 0.5
# An outage may last for days; its end is noticed within this.
LONGEST_SECONDS = 5.0
# What a person has to put right.
REFUSED_SECONDS = 30.0
RENEWALS_IN_A_TTL = 3
JITTER = 0.15


def jittered(seconds: float) -> float:
    """*seconds*, give or take a little."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  (nothing secret)


def renewal(ttl: float) -> float:
    """How long after a registration the next one is due: two may fail before the route ends."""
    return jittered(ttl / RENEWALS_IN_A_TTL)


def repetition(failures: int) -> float:
    """How long after so many *failures* in a row to try again."""
    return jittered(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures, 10)))
