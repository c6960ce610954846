"""Replacing: an update whose machines are replaced in rounds, each planned from what is there when it begins.

What a round leaves when it is cut off, the next update finds: nothing but the machines themselves tells how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs
from attrs import frozen

from kubo_sdk.errors import UnsafePlan
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.operation import Operation
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.interruption import interruptions
from kubo_sdk.planning.limits import check_service
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan, Replacement
from kubo_sdk.planning.repair import NO_REPAIR, Repair
from kubo_sdk.planning.replacement import replacements, rounds
from kubo_sdk.planning.settings import check_settings
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.surge import surged_spec
from kubo_sdk.steps.context import RunState

Look = tuple[Observation, RunState]


@frozen(kw_only=True)
class Replacing:
    """``look`` tells what is there, while nobody counts on the machines it is given.  ``stopped`` are left alone.

    ``with_spec`` is the same with another spec.  *force*, everywhere: the last master or member that serves may be away
    for a while.
    """

    spec: ClusterSpec
    abilities: Abilities
    look: Callable[[Sequence[str]], Look]
    stopped: Callable[[], tuple[str, ...]]
    reviewed: Callable[[Plan], Plan]
    with_spec: Callable[[ClusterSpec], Replacing]
    force: bool = False

    def plan(self, observation: Observation, operation: str) -> Plan:
        """What is changed in place, and the machines that are replaced afterwards.

        UnsafePlan when any round would leave too little to serve, before the first begins.
        """
        situation = self._situation(observation, Repair(leave=self.stopped()))
        check_settings(situation)
        found = replacements(situation)
        for each in rounds(self.spec, found):
            self._check(situation, each)
        plan = self._plan(observation, operation, NO_REPAIR, held=_held(found))
        told = interruptions(plan.steps, [each.instance for each in found], situation)
        return self.reviewed(attrs.evolve(plan, replaces=found, interrupts=told))

    def run(self, operation: Operation, plan: Plan, state: RunState) -> None:
        """Run *plan* and every round after it, with workers to spare meanwhile where the spec wants some.

        Those go at the end, or with the next update when this one is cut off: the spec does not list them.
        """
        wider = surged_spec(self.spec, plan.replaces)
        if wider is None:
            self._run(operation, plan, state)
            return
        with operation.working_on(wider):
            self.with_spec(wider).plan_and_run(operation)
        self.plan_and_run(operation)

    def plan_and_run(self, operation: Operation) -> None:
        """All of it from a fresh look."""
        observation, state = self.look(())
        self._run(operation, self.plan(observation, operation.name), state)

    def _run(self, operation: Operation, plan: Plan, state: RunState) -> None:
        if plan.steps or not plan.replaces:
            operation.run(plan, state)
        left = list(plan.replaces)
        for each in rounds(self.spec, plan.replaces):
            left = [other for other in left if other.instance not in each.condemned]
            if self._replace(operation, each, _held(left)):
                # Whoever is yet to be replaced is told of the new addresses where it is.
                left = [attrs.evolve(other, untouched=other.untouched and other.loses_data) for other in left]
                self._tell(operation, _held(left))

    def _replace(self, operation: Operation, each: Repair, held: Sequence[str]) -> bool:
        """One round.  Returns whether any of the machines got another address."""
        observation, state = self.look(each.condemned)
        before = {name: vm.address for name, vm in state.vms.items() if name in each.condemned}
        plan = self._plan(observation, operation.name, each, held)
        operation.run(self.reviewed(plan), state)
        return any(state.vms[name].address != address for name, address in before.items())

    def _tell(self, operation: Operation, held: Sequence[str]) -> None:
        observation, state = self.look(())
        plan = self._plan(observation, operation.name, NO_REPAIR, held)
        if not plan.is_empty:
            operation.run(self.reviewed(plan), state)

    def _plan(self, observation: Observation, operation: str, repair: Repair, held: Sequence[str]) -> Plan:
        """*held* are changed by being replaced, so nothing is done to them before."""
        repair = attrs.evolve(repair, leave=tuple(dict.fromkeys((*self.stopped(), *held))))
        return plan_deploy(self.spec, observation, self.abilities, repair, force=self.force, operation=operation)

    def _situation(self, observation: Observation, repair: Repair) -> Situation:
        return Situation(spec=self.spec, observation=observation, abilities=self.abilities, repair=repair)

    def _check(self, situation: Situation, each: Repair) -> None:
        repair = attrs.evolve(each, leave=situation.repair.leave)
        try:
            check_service(self._situation(situation.observation, repair), force=self.force)
        except UnsafePlan as error:
            raise UnsafePlan(f"{', '.join(each.condemned)} would be replaced: {error}") from None


def _held(found: Iterable[Replacement]) -> list[str]:
    return [each.instance for each in found if each.untouched]
