"""The meltdown brake: when so much fails at once, the cause is elsewhere, and replacing machines would add to it.

BOSH's rule: both a count and a share of the machines must be down.  Two things are different.  What lies in one
availability zone counts as what it is, one failure: a lost zone heals.  And a small cluster has a count of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

from attrs import frozen

from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import MeltdownSpec

COUNT = 5


@frozen(kw_only=True)
class Failure:
    """A machine that is down since *since*.  ``spent``: whatever may be tried for it was tried."""

    instance: str
    since: datetime
    spent: bool = False


def threshold(meltdown: MeltdownSpec, size: int) -> int:
    """How many of *size* machines must be down at least: five, or more than half of a smaller cluster."""
    return meltdown.count or min(COUNT, size // 2 + 1)


def counted(failures: Collection[Failure], meltdown: MeltdownSpec, now: datetime) -> tuple[str, ...]:
    """The instances that count: those that are down, without those given up longer ago than the window."""
    first = now - timedelta(seconds=meltdown.window_seconds)
    return tuple(failure.instance for failure in failures if not (failure.spent and failure.since < first))


def why_held(
    failures: Collection[Failure], instances: Collection[Instance], meltdown: MeltdownSpec, now: datetime
) -> str:
    """Why no machine is replaced or rebooted now; empty when it may be.  *instances* are all there should be."""
    down = set(counted(failures, meltdown, now))
    sizes = Counter(instance.az for instance in instances)
    by_az = Counter(instance.az for instance in instances if instance.id in down)
    total, size = sum(by_az.values()), len(instances)
    least = threshold(meltdown, size)
    if total < least or not _is_share(total, size, meltdown.share):
        return ""
    if len(sizes) > 1:
        worst = max(by_az, key=lambda az: (by_az[az], az))
        if not _is_share(total - by_az[worst], size - sizes[worst], meltdown.share):
            return ""
    return (
        f"{total} of {size} machines are down at once, which is a meltdown ({least} machines and {meltdown.share} %): "
        "look for the common cause, then raise health.meltdown or repair by hand with kubo check --auto"
    )


def _is_share(part: int, whole: int, percent: int) -> bool:
    """Whether *part* is at least *percent* of *whole*.  In whole numbers, so that nothing is rounded."""
    return part > 0 and part * 100 >= whole * percent
