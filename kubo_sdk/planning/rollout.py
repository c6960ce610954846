"""Rollout: in which order the running instances of a group are changed, so that a bad change stops at the first.  Pure.

Canaries first, then AZ by AZ.  No batch is larger than ``max_in_flight``, and none has instances of two AZs.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import InstanceGroup, UpdateSpec


@frozen(kw_only=True)
class Batch:
    """Instances that may be away at the same time.  ``canary``: they show whether the change is any good."""

    instances: tuple[str, ...]
    canary: bool = False


def batches(group: InstanceGroup, changed: Sequence[Instance], update: UpdateSpec) -> tuple[Batch, ...]:
    """The *changed* instances of *group*, each in one batch; the next batch waits until the one before serves again."""
    most = max(update.max_in_flight.of(group.instances), 1)
    by_az = [[each.id for each in changed if each.az == az] for az in _zones(group, changed)]
    first, *others = [names for names in by_az if names] or [[]]
    canaries, rest = first[: update.canaries], first[update.canaries :]
    found = [Batch(instances=part, canary=True) for part in _parts(canaries, most)]
    for names in (rest, *others):
        found += [Batch(instances=part) for part in _parts(names, most)]
    return tuple(found)


def _zones(group: InstanceGroup, changed: Sequence[Instance]) -> tuple[str, ...]:
    """Every AZ once, in the order of the spec."""
    return tuple(dict.fromkeys((*group.azs, *(each.az for each in changed))))


def _parts(names: Sequence[str], most: int) -> list[tuple[str, ...]]:
    return [tuple(names[start : start + most]) for start in range(0, len(names), most)]
