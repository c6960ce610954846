"""Draft: a plan being written.  Drops needs that name no step of the plan, so a planner can name all it would need."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb


class Draft:
    """Collects steps in an order in which each stands after what it needs."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def add(
        self,
        verb: Verb,
        *,
        instance: str | None = None,
        reason: str,
        effect: Effect,
        needs: Iterable[str] = (),
        details: Iterable[str] = (),
    ) -> str:
        """Add one step and return its id."""
        known = tuple(need for need in dict.fromkeys(needs) if need in self._steps)
        step = Step(verb=verb, instance=instance, reason=reason, effect=effect, details=tuple(details))
        self._steps[step.id] = attrs.evolve(step, needs=known)
        return step.id

    def __contains__(self, step_id: str) -> bool:
        return step_id in self._steps

    def ids(self, verb: Verb) -> tuple[str, ...]:
        """The steps of one kind, as far as the plan has them."""
        return tuple(step.id for step in self._steps.values() if step.verb is verb)

    def plan(self, cluster: ClusterId, operation: str, fingerprint: str, *, keeps_disks: bool = False) -> Plan:
        return Plan(
            cluster=cluster,
            operation=operation,
            steps=tuple(self._steps.values()),
            fingerprint=fingerprint,
            keeps_disks=keeps_disks,
        )
