"""Plans a deploy: from what is there to what the spec wishes for.  A fresh cluster and a half-made one are the same."""

from __future__ import annotations

import attrs

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.configuration import plan_configuration
from kubo_sdk.planning.control_plane import plan_control_plane
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.identity import plan_identities
from kubo_sdk.planning.interruption import interruptions
from kubo_sdk.planning.leaving import plan_leaving
from kubo_sdk.planning.limits import check_deploy, check_progress
from kubo_sdk.planning.machines import plan_machines
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.repair import NO_REPAIR, Repair
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.workers import plan_workers


def plan_deploy(
    spec: ClusterSpec,
    observation: Observation,
    abilities: Abilities,
    repair: Repair = NO_REPAIR,
    *,
    force: bool = False,
    operation: str = "deploy",
    takes_away: bool = True,
) -> Plan:
    """The steps that make the world what *spec* says, and that do what *repair* asks for.

    What the spec lists no more goes, if the plan *takes_away*.  *force* lets a last master or etcd member that keeps
    its data be away for a while.  Raises ConfigError, UnsafePlan, and Unavailable when a machine that must be worked on
    does not answer.
    """
    situation = Situation(spec=spec, observation=observation, abilities=abilities, repair=repair, takes_away=takes_away)
    check_deploy(situation, force=force)
    draft = Draft()
    plan_machines(draft, situation)
    plan_identities(draft, situation)
    plan_configuration(draft, situation)
    plan_control_plane(draft, situation)
    plan_workers(draft, situation)
    if takes_away:
        plan_leaving(draft, situation)
    plan = draft.plan(spec.id, operation, observation.fingerprint)
    check_progress(plan, situation)
    return attrs.evolve(plan, interrupts=interruptions(plan.steps, (), situation))
