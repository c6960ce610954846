"""Plans to go on with one etcd member's data after the majority is lost.  Who else was a member comes back empty.

What the survivor has may be older than what others saw: its revisions went back.  Whoever remembers what etcd had
starts anew then, or would wait for revisions that are to come again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kubo_sdk.errors import NotFound, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.membership import instance_of, slug_in
from kubo_sdk.planning.new_start import of_role, restart, serve_again
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb

RECOVER = "recover"


def plan_recovery(
    spec: ClusterSpec,
    observation: Observation,
    survivor: str | None,
    *,
    heard: Mapping[str, int],
    force: bool,
    begun: str = "",
    leave: Collection[str] = (),
) -> Plan:
    """The survivor starts alone; then masters and workers start everything anew, but those in *leave*.

    *heard* tells how much each member that answers has seen (its raft index); the one that saw most is the default.
    *begun* is the survivor of a recovery that was cut off, which goes on without *force*.
    """
    goes_on = bool(begun) and survivor in (None, begun)
    survivor = begun if goes_on else survivor
    _check_lost(spec, observation, begun, force=force)
    members = of_role(observation, Role.ETCD)
    view = _survivor(spec, members, survivor, heard)
    others = ", ".join(each.instance.id for each in members if each is not view)
    if not (force or goes_on):
        raise UnsafePlan(
            f"going on with {view.instance.id} alone gives up what only {others or 'its journal'} of cluster {spec.id} "
            "may have stored; if that is what you want: --force"
        )
    draft = Draft()
    recovered = draft.add(
        Verb.RECOVER_MEMBER,
        instance=view.instance.id,
        reason="the majority is lost, and it goes on alone with what it has",
        effect=Effect.LOSE_DATA,
    )
    _start_anew(draft, observation, leave, recovered)
    return draft.plan(spec.id, RECOVER, observation.fingerprint)


def survivor_of(plan: Plan) -> str:
    """The member that goes on alone."""
    return next(str(step.instance) for step in plan.steps if step.verb is Verb.RECOVER_MEMBER)


def _check_lost(spec: ClusterSpec, observation: Observation, begun: str, *, force: bool) -> None:
    if observation.members is None:
        return
    if not begun:
        raise UnsafePlan(
            f"etcd of cluster {spec.id} serves with a majority, so there is nothing to recover; kubo check tells what "
            "is wrong"
        )
    others = sorted({instance_of(slug_in(member)) for member in observation.members} - {begun})
    if others and not force:
        raise UnsafePlan(
            f"etcd of cluster {spec.id} serves with a majority again, and going on with {begun} alone gives up what "
            f"{', '.join(others)} stored meanwhile; if that is what you want: --force"
        )


def _survivor(
    spec: ClusterSpec, members: list[InstanceView], survivor: str | None, heard: Mapping[str, int]
) -> InstanceView:
    there = ", ".join(view.instance.id for view in members)
    if survivor is not None and survivor not in [view.instance.id for view in members]:
        raise NotFound(f"cluster {spec.id} has no etcd member {survivor!r}; there are: {there}")
    able = [view for view in members if view.is_serving and survivor in (None, view.instance.id)]
    if not able:
        raise NotFound(
            f"no machine of {survivor or there} of cluster {spec.id} answers, so nobody can look at the data; "
            "bring one back first: kubo up, or kubo heal"
        )
    return max(able, key=lambda view: heard.get(view.instance.id, -1))


def _start_anew(draft: Draft, observation: Observation, leave: Collection[str], recovered: str) -> None:
    masters, workers = (
        [view for view in of_role(observation, role) if view.is_serving and view.instance.id not in leave]
        for role in (Role.MASTER, Role.WORKER)
    )
    served = [serve_again(draft, view, needs=[recovered]) for view in masters]
    for view in workers:
        restart(draft, view, view.units, needs=served or [recovered])
