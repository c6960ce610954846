"""Plans to go on with one etcd member's data after the majority is lost.  Who else was a member comes back empty."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.errors import NotFound, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb

RECOVER = "recover"
API_SERVER = "kube-apiserver.service"


def plan_recovery(
    spec: ClusterSpec,
    observation: Observation,
    survivor: str | None,
    *,
    heard: Mapping[str, int],
    force: bool,
) -> Plan:
    """The survivor starts alone, then the API servers start anew: what they remember may be newer than its data.

    *heard* tells how much each member that answers has seen (its raft index); the one that saw most is the default.
    """
    members = [view for view in observation.instances if view.instance.role is Role.ETCD]
    if observation.members is not None:
        raise UnsafePlan(
            f"etcd of cluster {spec.id} serves with a majority, so there is nothing to recover; kubo check tells what "
            "is wrong"
        )
    view = _survivor(spec, members, survivor, heard)
    others = ", ".join(each.instance.id for each in members if each is not view)
    if not force:
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
    for master in observation.instances:
        if master.instance.role is Role.MASTER and master.is_serving:
            _restart(draft, master, recovered)
    return draft.plan(spec.id, RECOVER, observation.fingerprint)


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


def _restart(draft: Draft, master: InstanceView, recovered: str) -> None:
    restarted = draft.add(
        Verb.RESTART_UNITS,
        instance=master.instance.id,
        reason="what it remembers may be newer than what is stored",
        effect=Effect.RESTART,
        needs=[recovered],
        details=[API_SERVER],
    )
    draft.add(
        Verb.AWAIT_INSTANCE,
        instance=master.instance.id,
        reason="it must serve before the work goes on",
        effect=Effect.WAIT,
        needs=[restarted],
        details=[API_SERVER],
    )
