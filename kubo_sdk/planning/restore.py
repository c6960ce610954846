"""Plans the restore of etcd's data from a snapshot, on every member.  Pure.

Everything that can be refused or can take long comes before anything is stopped: the ground, then the new data beside
the old.  Afterwards whoever remembers what etcd had starts anew: its revisions went back, and those who watch would
wait for the old ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.configuration import plan_configuration
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.identity import plan_identities
from kubo_sdk.planning.limits import check_anew
from kubo_sdk.planning.machines import plan_machines
from kubo_sdk.planning.new_start import await_service, of_role, restart, serve_again
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.situation import Situation

RESTORE = "restore"
ETCD = "etcd.service"
# In the order in which they may go on without the others.
CONTROL_PLANE = ("kube-apiserver.service", "kube-controller-manager.service", "kube-scheduler.service")


def has_data(observation: Observation) -> bool:
    """Whether there is a cluster, or a disk of one, whose data a restore would replace."""
    members = (view for view in observation.instances if view.instance.role is Role.ETCD)
    return any(view.vm is not None or view.disk is not None for view in members)


def plan_ground(spec: ClusterSpec, observation: Observation, abilities: Abilities) -> Plan:
    """Every machine there and configured; nobody waits for what runs on them, as its data comes later.

    Raises ConfigError, and Unavailable when a machine does not answer.
    """
    situation = Situation(
        spec=spec, observation=observation, abilities=abilities, repair=Repair(anew=True), takes_away=False
    )
    check_anew(situation)
    draft = Draft()
    plan_machines(draft, situation)
    plan_identities(draft, situation)
    plan_configuration(draft, situation)
    return _without(draft.plan(spec.id, RESTORE, observation.fingerprint), Verb.AWAIT_INSTANCE)


def _without(plan: Plan, verb: Verb) -> Plan:
    gone = {step.id for step in plan.steps if step.verb is verb}
    kept = (step for step in plan.steps if step.id not in gone)
    steps = (attrs.evolve(step, needs=tuple(need for need in step.needs if need not in gone)) for step in kept)
    return attrs.evolve(plan, steps=tuple(steps))


def plan_stage(spec: ClusterSpec, observation: Observation) -> Plan:
    """The new data beside the old, on every member: all that can fail for want of room."""
    draft = Draft()
    for view in of_role(observation, Role.ETCD):
        _stage(draft, view)
    return draft.plan(spec.id, RESTORE, observation.fingerprint)


def plan_data(spec: ClusterSpec, observation: Observation) -> Plan:
    """From the snapshot to API servers that serve what it holds."""
    draft = Draft()
    members, masters = of_role(observation, Role.ETCD), of_role(observation, Role.MASTER)
    staged = [_stage(draft, view) for view in members]
    silent = [_stop(draft, view, CONTROL_PLANE, needs=staged) for view in masters]
    stopped = [_stop(draft, view, (ETCD,), needs=(*staged, *silent)) for view in members]
    replaced = [_replace(draft, view, needs=stopped) for view in members]
    serving = [await_service(draft, view, needs=replaced) for view in members]
    secured = draft.add(
        Verb.SECURE_ETCD,
        reason="the users and rights it came with may not be those wished for",
        effect=Effect.CHANGE,
        needs=serving,
    )
    forgotten = draft.add(
        Verb.FORGET_LEASES,
        reason="whoever held one then does not hold it now",
        effect=Effect.DELETE,
        needs=[secured],
    )
    for view in members:
        restart(draft, view, tuple(unit for unit in view.units if unit != ETCD), needs=[forgotten])
    served = [serve_again(draft, view, needs=[forgotten]) for view in masters]
    draft.add(
        Verb.FORGET_NODES,
        reason="their machines are gone, and their pods must run elsewhere",
        effect=Effect.DELETE,
        needs=served,
    )
    return draft.plan(spec.id, RESTORE, observation.fingerprint)


def restarts(observation: Observation) -> Repair:
    """Every worker that runs starts its units anew: kubelets and agents watch for revisions that are to come again."""
    workers = (view for view in of_role(observation, Role.WORKER) if view.is_serving)
    started = (view for view in workers if view.drift is None or not view.drift.unstarted)
    return Repair(restart_units=tuple((view.instance.id, view.units) for view in started))


def _stage(draft: Draft, view: InstanceView) -> str:
    return draft.add(
        Verb.STAGE_SNAPSHOT,
        instance=view.instance.id,
        reason="its new data is made beside the old",
        effect=Effect.CHANGE,
    )


def _stop(draft: Draft, view: InstanceView, units: Iterable[str], *, needs: Iterable[str]) -> str:
    return draft.add(
        Verb.STOP_UNITS,
        instance=view.instance.id,
        reason="nobody may write while the data is replaced",
        effect=Effect.RESTART,
        needs=needs,
        details=[unit for unit in units if unit in view.units],
    )


def _replace(draft: Draft, view: InstanceView, *, needs: Iterable[str]) -> str:
    return draft.add(
        Verb.REPLACE_DATA,
        instance=view.instance.id,
        reason="what was stored since the backup is given up",
        effect=Effect.LOSE_DATA,
        needs=needs,
    )
