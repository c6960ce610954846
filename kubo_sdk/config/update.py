"""The section ``update``: how its percentage is written, and what makes it wrong.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubo_sdk.config.kinds import shown
from kubo_sdk.config.place import Place
from kubo_sdk.config.problem import Problem
from kubo_sdk.config.structure import Reader
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, InFlight, InstanceGroup

LONGEST = 86400
WHOLE = 100
MOST_TO_SPARE = 100

_PERCENT = re.compile(r"(\d{1,9})\s*%")


def read_in_flight(reader: Reader, value: Any, place: Place) -> Any:
    """``2``, or ``25%``."""
    if isinstance(value, InFlight):
        return value
    if type(value) is int:
        return InFlight(number=value)
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found:
        return InFlight(number=int(found.group(1)), percent=True)
    return reader.complain(place, f"must be a whole number such as 2 or a percentage such as 25%, not {shown(value)}")


def check_update(spec: ClusterSpec) -> Iterator[Problem]:
    """Numbers with which nothing would ever be changed."""
    update = spec.update
    for key, bound in (
        ("drain_timeout_seconds", update.drain_timeout_seconds),
        ("watch_seconds", update.watch_seconds),
    ):
        if not 0 < bound <= LONGEST:
            message = f"must be more than 0 and at most {LONGEST} seconds, not {bound:g}"
            yield Problem(("update", key), message)
    if update.canaries < 0:
        message = f"must not be negative, and is {update.canaries}; 0 changes no instance before the others"
        yield Problem(("update", "canaries"), message)
    if not 0 <= update.surge <= MOST_TO_SPARE:
        message = f"must be from 0 to {MOST_TO_SPARE} workers more while others are replaced, not {update.surge}"
        yield Problem(("update", "surge"), message)
    yield from _check_in_flight(spec)


def _check_in_flight(spec: ClusterSpec) -> Iterator[Problem]:
    path, wanted = ("update", "max_in_flight"), spec.update.max_in_flight
    if wanted.percent and not 1 <= wanted.number <= WHOLE:
        yield Problem(path, f"must be a percentage from 1% to 100%, not {wanted}")
    elif wanted.number < 1:
        yield Problem(path, f"must be at least 1, not {wanted}")
    elif wanted.percent:
        # Of the masters, members and proxies one changes after the other, however many there are.
        workers = (group for group in spec.instance_groups if group.role is Role.WORKER and group.instances > 0)
        idle = min((group for group in workers if not wanted.of(group.instances)), key=_size, default=None)
        if idle is not None:
            least = -(-WHOLE // idle.instances)
            message = f"is {wanted}, which of the {idle.instances} instances of group {idle.name} is nobody"
            yield Problem(path, f"{message}; write {least}% or more, or a number")


def _size(group: InstanceGroup) -> int:
    return group.instances
