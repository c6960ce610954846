"""What makes the section ``health`` wrong although its values have the right types.  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kubo_sdk.config.problem import Problem
from kubo_sdk.model.spec import ClusterSpec

LONGEST = 86400.0
SHORTEST_PROBE = 0.1
MOST_RENEW_DAYS = 365


def check_health(spec: ClusterSpec) -> Iterator[Problem]:
    """Numbers that no watching and no brake can work with."""
    health, meltdown = spec.health, spec.health.meltdown
    seconds = (
        (("probe_seconds",), health.probe_seconds, SHORTEST_PROBE),
        (("unhealthy_after_seconds",), health.unhealthy_after_seconds, 0.0),
        (("silent_after_seconds",), health.silent_after_seconds, 0.0),
        (("startup_seconds",), health.startup_seconds, 0.0),
        (("window_seconds",), health.window_seconds, 1.0),
        (("meltdown", "window_seconds"), meltdown.window_seconds, 1.0),
    )
    for key, value, least in seconds:
        if not least <= value <= LONGEST:
            yield Problem(("health", *key), f"must be between {least:g} and {LONGEST:g} seconds, not {value:g}")
    if health.attempts < 1:
        message = f"must be at least 1, not {health.attempts}; to repair nothing, set health.enabled to false"
        yield Problem(("health", "attempts"), message)
    if not 0 <= health.renew_days <= MOST_RENEW_DAYS:
        message = f"must be between 0 and {MOST_RENEW_DAYS} days, not {health.renew_days}"
        yield Problem(("health", "renew_days"), message)
    if meltdown.count < 0:
        message = f"must not be negative, and is {meltdown.count}; 0 chooses by the size of the cluster"
        yield Problem(("health", "meltdown", "count"), message)
    if not 1 <= meltdown.share <= 100:
        yield Problem(("health", "meltdown", "share"), f"must be a percentage from 1 to 100, not {meltdown.share}")
