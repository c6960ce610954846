"""Plans the machines and disks: takes condemned ones away, makes what is missing, starts what stands still."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation

GONE = "the spec does not list it any more"
KUBE_PROXY = "kube-proxy.service"


def plan_machines(draft: Draft, situation: Situation) -> None:
    """Every step up to machines that run, with their disks."""
    made = [view for view in situation.views if not view.exists or situation.is_condemned(view)]
    started = [view for view in situation.views if situation.is_rebooted(view)]
    if not situation.observation.release_cached:
        draft.add(
            Verb.FETCH_RELEASE,
            reason=f"Kubernetes {situation.spec.kubernetes.version} is not in the cache",
            effect=Effect.CREATE,
        )
    if made or started:
        draft.add(
            Verb.PREPARE_INFRASTRUCTURE,
            reason=f"{len(made)} machines will be created, {len(started)} started",
            effect=Effect.CREATE,
        )
    given_up = _give_up(draft, situation)
    for view in situation.views:
        _take_away(draft, situation, view, after=given_up)
        _make(draft, situation, view, after=given_up)


def _give_up(draft: Draft, situation: Situation) -> list[str]:
    """Take members without their data out of etcd, one after the other, while all others still serve."""
    previous: list[str] = [Verb.FETCH_RELEASE, Verb.PREPARE_INFRASTRUCTURE]
    for view in situation.of(Role.ETCD):
        if view.instance.id in situation.membership.lost:
            if view.is_serving:
                previous = leave_gently(draft, situation, view, needs=previous) or previous
            previous = [remove_member(draft, view.instance.id, reason="its data is gone", needs=previous)]
    for name in situation.dead_leaving:
        previous = [remove_member(draft, name, reason=GONE, needs=previous)]
    return previous


def _take_away(draft: Draft, situation: Situation, view: InstanceView, *, after: Iterable[str]) -> None:
    """What a condemned machine, or one that is gone, still is to others; then the machine itself."""
    name = view.instance.id
    before: list[str] = [Verb.FETCH_RELEASE, Verb.PREPARE_INFRASTRUCTURE]
    if view.instance.role is Role.ETCD and view.is_serving:
        before += after
    if situation.is_condemned(view) and view.is_serving and name not in situation.membership.lost:
        before += leave_gently(draft, situation, view, needs=tuple(before))
        before += _quiesce(draft, view, needs=tuple(before))
    before.append(f"{Verb.REMOVE_MEMBER} {name}")
    if situation.is_condemned(view) and view.vm is not None:
        draft.add(
            Verb.DELETE_VM,
            instance=name,
            reason="its machine is replaced" if view.is_serving else "its machine is dead and is replaced",
            effect=Effect.DELETE,
            needs=before,
            details=[view.vm.id],
        )
    if name in situation.repair.wipe and view.disk is not None:
        draft.add(
            Verb.DELETE_DISK,
            instance=name,
            reason="what is on its disk is given up",
            effect=Effect.LOSE_DATA,
            needs=[f"{Verb.DELETE_VM} {name}", f"{Verb.REMOVE_MEMBER} {name}"],
            details=[view.disk.id],
        )
    goes = situation.is_condemned(view) or view.vm is None
    if goes and view.instance.slug in situation.observation.nodes and situation.observation.api_ready:
        draft.add(
            Verb.DELETE_NODE,
            instance=name,
            reason="its pods move at once when its Node is gone with its machine",
            effect=Effect.DELETE,
            needs=[f"{Verb.DELETE_VM} {name}"],
        )


def _quiesce(draft: Draft, view: InstanceView, *, needs: Iterable[str]) -> list[str]:
    """Stop what others send requests to.  A proxy is where requests come in: nobody stands before it and could notice.

    On a worker the pods that stay with it go on: without kube-proxy nobody is sent there from outside.
    """
    units = view.units if view.instance.role in (Role.ETCD, Role.MASTER) else ()
    if view.instance.role is Role.WORKER:
        units = tuple(unit for unit in view.units if unit == KUBE_PROXY)
    if not units:
        return []
    step = draft.add(
        Verb.QUIESCE,
        instance=view.instance.id,
        reason="nobody is sent to it any more when it goes",
        effect=Effect.CHANGE,
        needs=needs,
        details=units,
    )
    return [step]


def leave_gently(draft: Draft, situation: Situation, view: InstanceView, *, needs: Iterable[str]) -> list[str]:
    """What is done before a machine that serves goes away: its pods and its leadership move."""
    if view.instance.role is Role.WORKER and situation.observation.api_ready:
        return [drain(draft, view.instance.id, needs=needs)]
    if view.instance.role is Role.ETCD and situation.observation.members is not None:
        return [move_leadership(draft, view.instance.id, needs=needs)]
    return []


def drain(draft: Draft, name: str, *, needs: Iterable[str], reason: str = "its pods move before it goes") -> str:
    """Add the step that moves the pods of a worker away."""
    return draft.add(Verb.DRAIN, instance=name, reason=reason, effect=Effect.CHANGE, needs=needs)


def move_leadership(draft: Draft, name: str, *, needs: Iterable[str]) -> str:
    """Add the step after which the member leads etcd no more."""
    return draft.add(
        Verb.MOVE_LEADER,
        instance=name,
        reason="a leader that hands over costs no election",
        effect=Effect.CHANGE,
        needs=needs,
    )


def remove_member(draft: Draft, name: str, *, reason: str, needs: Iterable[str]) -> str:
    """Add the step that takes the member out of etcd."""
    return draft.add(Verb.REMOVE_MEMBER, instance=name, reason=reason, effect=Effect.DELETE, needs=needs)


def _make(draft: Draft, situation: Situation, view: InstanceView, *, after: Iterable[str]) -> None:
    name = view.instance.id
    prepared = [Verb.PREPARE_INFRASTRUCTURE, f"{Verb.REMOVE_MEMBER} {name}"]
    creates = not view.exists or situation.is_condemned(view)
    if creates and situation.wants_disk(view) and (view.disk is None or name in situation.repair.wipe):
        draft.add(
            Verb.CREATE_DISK,
            instance=name,
            reason="it has no persistent disk" if view.disk is None else "it starts again with an empty disk",
            effect=Effect.CREATE,
            needs=[*prepared, f"{Verb.DELETE_DISK} {name}"],
        )
    if creates:
        needs = (f"{Verb.CREATE_DISK} {name}", f"{Verb.DELETE_VM} {name}", f"{Verb.DELETE_NODE} {name}")
        draft.add(
            Verb.CREATE_VM,
            instance=name,
            reason=_why_made(situation, view),
            effect=Effect.CREATE,
            needs=[Verb.FETCH_RELEASE, *prepared, *needs],
        )
    elif situation.is_rebooted(view):
        draft.add(
            Verb.REBOOT_VM,
            instance=name,
            reason="its machine is stopped" if view.is_stopped else "its machine must start anew",
            effect=Effect.RESTART,
            needs=[Verb.PREPARE_INFRASTRUCTURE, *(after if view.instance.role is Role.ETCD else ())],
        )


def _why_made(situation: Situation, view: InstanceView) -> str:
    if situation.is_condemned(view):
        return "its old machine is gone"
    return "it has no machine" if view.vm is None else "its machine is half made"
