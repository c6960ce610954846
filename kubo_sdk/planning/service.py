"""Plans to take one instance out of service, to put it back, or both.  Its machine and its data stay."""

from __future__ import annotations

from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.limits import check_service
from kubo_sdk.planning.machines import leave_gently
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.workers import uncordon

STOP = "stop"
START = "start"
RESTART = "restart"


def plan_stop(
    spec: ClusterSpec, observation: Observation, abilities: Abilities, instance_id: str, *, force: bool = False
) -> Plan:
    """Its pods or its leadership move, then its units stop.  UnsafePlan where too little would be left to serve."""
    situation, view = _look(spec, observation, abilities, instance_id)
    _check_answers(spec, view)
    check_service(situation, force=force)
    draft = Draft()
    before = leave_gently(draft, situation, view, needs=()) if view.is_serving else []
    draft.add(
        Verb.STOP_UNITS,
        instance=instance_id,
        reason="it is taken out of service",
        effect=Effect.RESTART,
        needs=before,
        details=view.units,
    )
    return draft.plan(spec.id, STOP, observation.fingerprint)


def plan_start(spec: ClusterSpec, observation: Observation, abilities: Abilities, instance_id: str) -> Plan:
    """Its units start, and pods may come to it again."""
    _, view = _look(spec, observation, abilities, instance_id)
    draft = Draft()
    if view.is_stopped:
        draft.add(Verb.REBOOT_VM, instance=instance_id, reason="its machine is stopped", effect=Effect.RESTART)
    else:
        _check_answers(spec, view)
    _back_into_service(draft, view, reason="it is put back into service")
    return draft.plan(spec.id, START, observation.fingerprint)


def plan_restart(
    spec: ClusterSpec, observation: Observation, abilities: Abilities, instance_id: str, *, force: bool = False
) -> Plan:
    """Its pods or its leadership move, its units restart, and it serves again."""
    situation, view = _look(spec, observation, abilities, instance_id)
    _check_answers(spec, view)
    check_service(situation, force=force)
    draft = Draft()
    leave_gently(draft, situation, view, needs=())
    _back_into_service(draft, view, reason="somebody asked for it")
    return draft.plan(spec.id, RESTART, observation.fingerprint)


def _look(
    spec: ClusterSpec, observation: Observation, abilities: Abilities, instance_id: str
) -> tuple[Situation, InstanceView]:
    there = [view.instance.id for view in observation.instances]
    if instance_id not in there:
        raise NotFound(f"cluster {spec.id} has no instance {instance_id!r}; there are: {', '.join(there)}")
    repair = Repair(reboot=(instance_id,))
    situation = Situation(spec=spec, observation=observation, abilities=abilities, repair=repair, takes_away=False)
    return situation, observation.view(instance_id)


def _check_answers(spec: ClusterSpec, view: InstanceView) -> None:
    name = view.instance.id
    if not view.exists or (view.reachable and not view.is_stopped and not view.configured):
        raise NotFound(f"{name} of cluster {spec.id} has no machine that is set up; kubo up makes it")
    if view.is_stopped or not view.reachable:
        raise Unavailable(
            f"the machine of {name} of cluster {spec.id} does not answer; kubo recreate {name} replaces it",
            retry_after=None,
        )


def _back_into_service(draft: Draft, view: InstanceView, *, reason: str) -> None:
    name = view.instance.id
    before = (f"{Verb.DRAIN} {name}", f"{Verb.MOVE_LEADER} {name}", f"{Verb.REBOOT_VM} {name}")
    restarted = draft.add(
        Verb.RESTART_UNITS, instance=name, reason=reason, effect=Effect.RESTART, needs=before, details=view.units
    )
    draft.add(
        Verb.AWAIT_INSTANCE,
        instance=name,
        reason="it must serve again",
        effect=Effect.WAIT,
        needs=[restarted],
        details=view.units,
    )
    if view.instance.role is Role.WORKER and (view.cordoned or f"{Verb.DRAIN} {name}" in draft):
        uncordon(draft, view)
