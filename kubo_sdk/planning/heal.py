"""Plans a repair: what a deploy would do about the instances that are repaired, and no more."""

from __future__ import annotations

import attrs

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.membership import instance_of
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb
from kubo_sdk.planning.resolutions import Resolution

HEAL = "heal"

# What a deploy clears away of instances the spec lists no more.  Healing takes nobody away.
_LEAVING = (Verb.DELETE_NAMES, Verb.RETIRE_CREDENTIALS)


def plan_heal(spec: ClusterSpec, observation: Observation, abilities: Abilities, decision: Decision) -> Plan:
    """The steps that do what *decision* says.  Raises ConfigError, UnsafePlan and Unavailable as a deploy does."""
    former = _former(decision)
    plan = plan_deploy(spec, observation, abilities, decision.repair, operation=HEAL, takes_away=bool(former))
    kept = {instance.id for instance in spec.instances()} | former
    steps = [step for step in plan.steps if step.instance in kept or (not step.instance and step.verb not in _LEAVING)]
    steps += [step for step in _beside(decision) if step.id not in {each.id for each in steps}]
    ids = {step.id for step in steps}
    pruned = (attrs.evolve(step, needs=tuple(need for need in step.needs if need in ids)) for step in steps)
    return attrs.evolve(plan, steps=tuple(pruned))


def _former(decision: Decision) -> set[str]:
    """Former instances whose member or Node is to go."""
    leftovers = (*decision.acts_by(Resolution.REMOVE_MEMBER), *decision.acts_by(Resolution.DELETE_NODE))
    return {instance_of(problem.details[1]) for problem in leftovers if problem.details[1]}


def _beside(decision: Decision) -> list[Step]:
    """What no deploy does."""
    steps = [
        Step(
            verb=Verb.AWAIT_INSTANCE,
            instance=problem.instance,
            reason="only the Node of its machine may stand for it",
            effect=Effect.CHANGE,
        )
        for problem in decision.acts_by(Resolution.DELETE_NODE)
        if problem.instance
    ]
    steps += [
        Step(
            verb=Verb.DELETE_DISK,
            instance=problem.subject,
            reason="somebody asked for it, and what is on the disk is lost",
            effect=Effect.LOSE_DATA,
            details=problem.details,
        )
        for problem in decision.acts_by(Resolution.DELETE_DISK)
    ]
    return steps
