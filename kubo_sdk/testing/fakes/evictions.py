"""Evictions of pods, and the disruption budgets that forbid them."""

from __future__ import annotations

import math
from typing import Any

from kubo_sdk.testing.fakes.objects import Object, ObjectStore, Place

BUDGETS = ("/apis/policy/v1", "/apis/policy/v1beta1")


class TooMany(Exception):
    """A budget forbids it; the text is the cause."""


def evict(store: ObjectStore, place: Place, name: str) -> None:
    """Take a pod away at once, unless a budget of its namespace forbids it."""
    pod = store.get(place, name)
    assert pod is not None, "who evicts has looked"
    for root in BUDGETS:
        for budget in store.find(root, "poddisruptionbudgets", place.namespace):
            if _selects(budget.item, pod.item):
                _check(store, place, budget.item)
    store.remove(place, name)


def _check(store: ObjectStore, place: Place, budget: Object) -> None:
    pods = [each.item for each in store.find(place.root, place.plural, place.namespace) if _selects(budget, each.item)]
    healthy, spec = sum(map(_is_healthy, pods)), budget.get("spec", {})
    if "minAvailable" in spec:
        needed = _number(spec["minAvailable"], len(pods))
    else:
        needed = len(pods) - _number(spec.get("maxUnavailable", 0), len(pods))
    if healthy - 1 < needed:
        name = budget["metadata"]["name"]
        raise TooMany(f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently")


def _selects(budget: Object, pod: Object) -> bool:
    wanted = budget.get("spec", {}).get("selector", {}).get("matchLabels", {})
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())


def _is_healthy(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [{"type": "Ready", "status": "True"}])
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _number(value: Any, whole: int) -> int:
    return math.ceil(int(value.rstrip("%")) * whole / 100) if isinstance(value, str) else int(value)
