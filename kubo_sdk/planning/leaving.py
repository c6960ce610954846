"""Plans the leaving of what the spec lists no more: machines, members, Nodes, credentials, names and disks.

Everything that stays is told first, so that nobody is sent to what is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.configuration import configured
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.machines import GONE, drain, move_leadership, remove_member
from kubo_sdk.planning.membership import instance_of
from kubo_sdk.planning.observation import role_of
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation
from kubo_sdk.ports.cpi import Vm, VmState

# The leaf of the certificate every kubelet has, without the slug of its instance.
KUBELET = "kubelet-server-"


def plan_leaving(draft: Draft, situation: Situation) -> None:
    """The last steps of a plan: etcd's members one after the other, everything else at once."""
    observation = situation.observation
    ready = [
        Verb.ENSURE_ENDPOINTS,
        Verb.PUBLISH_NAMES,
        Verb.AWAIT_API,
        *_awaited(draft, situation, Role.ETCD),
        *_awaited(draft, situation, Role.MASTER),
        *configured(draft, situation, Role.PROXY),
    ]
    _members_leave(draft, situation, ready)
    new = [f"{Verb.AWAIT_INSTANCE} {view.instance.id}" for view in situation.of(Role.WORKER) if situation.is_new(view)]
    going = [vm for vm in observation.strangers if may_leave(situation, vm)]
    for vm in going:
        _machine_leaves(draft, situation, vm, [*ready, *new])
    _nodes_leave(draft, situation)
    staying = {vm.instance for vm in observation.strangers} - {vm.instance for vm in going}
    for disk in observation.stray_disks:
        if disk.instance not in staying:
            draft.add(
                Verb.DELETE_DISK,
                instance=disk.instance,
                reason=f"{GONE}, and what is on the disk is lost",
                effect=Effect.LOSE_DATA,
                needs=[f"{Verb.DELETE_VM} {disk.instance}"],
                details=[disk.id],
            )
    if not staying:
        _traces_leave(draft, situation)


def may_leave(situation: Situation, vm: Vm) -> bool:
    """A machine of etcd stays until it is no member any more, and while nobody can tell who is one."""
    return role_of(vm) is not Role.ETCD or situation.observation.members is not None


def _awaited(draft: Draft, situation: Situation, role: Role) -> tuple[str, ...]:
    names = (view.instance.id for view in situation.of(role))
    steps = (f"{verb} {name}" for name in names for verb in (Verb.CONFIGURE_INSTANCE, Verb.AWAIT_INSTANCE))
    return tuple(step for step in steps if step in draft)


def _members_leave(draft: Draft, situation: Situation, ready: Iterable[str]) -> None:
    """One after the other.  Those that are dead went before anybody was disturbed."""
    running = {vm.instance for vm in situation.observation.strangers if vm.state is VmState.RUNNING}
    previous: Iterable[str] = (*ready, *draft.ids(Verb.REMOVE_MEMBER))
    for name in situation.live_leaving:
        if name in running:
            previous = [move_leadership(draft, name, needs=previous)]
        previous = [remove_member(draft, name, reason=GONE, needs=previous)]


def _machine_leaves(draft: Draft, situation: Situation, vm: Vm, ready: Iterable[str]) -> None:
    before = [*ready, f"{Verb.REMOVE_MEMBER} {vm.instance}"]
    runs = vm.state is VmState.RUNNING and vm.instance not in situation.repair.leave
    if role_of(vm) is Role.WORKER and runs and situation.observation.api_ready:
        before.append(drain(draft, vm.instance, needs=before))
    if role_of(vm) is Role.MASTER and runs and situation.abilities.withdrawn_by:
        before.append(_withdraw(draft, vm.instance, situation.abilities.withdrawn_by, needs=before))
    draft.add(Verb.DELETE_VM, instance=vm.instance, reason=GONE, effect=Effect.DELETE, needs=before, details=[vm.id])


def _withdraw(draft: Draft, name: str, units: Iterable[str], *, needs: Iterable[str]) -> str:
    """It has registered itself with those who send requests to it."""
    return draft.add(
        Verb.QUIESCE,
        instance=name,
        reason="nobody is sent to it any more when it goes",
        effect=Effect.CHANGE,
        needs=needs,
        details=tuple(units),
    )


def _nodes_leave(draft: Draft, situation: Situation) -> None:
    observation = situation.observation
    wished = {view.instance.slug for view in observation.instances}
    slugs = {*observation.nodes}
    if not observation.api_ready:
        # Nobody could tell the Nodes.  Whoever was one has a kubelet's certificate, which goes after its Node.
        slugs |= {leaf.removeprefix(KUBELET) for leaf in observation.stray_credentials if leaf.startswith(KUBELET)}
    for slug in sorted(slugs):
        if slug not in wished:
            name = instance_of(slug)
            draft.add(
                Verb.DELETE_NODE,
                instance=name,
                reason=GONE,
                effect=Effect.DELETE,
                needs=[Verb.AWAIT_API, f"{Verb.DELETE_VM} {name}"],
            )


def _traces_leave(draft: Draft, situation: Situation) -> None:
    names, leaves = situation.observation.stale_names, situation.observation.stray_credentials
    gone = (*draft.ids(Verb.DELETE_VM), *draft.ids(Verb.DELETE_NODE))
    if names:
        draft.add(Verb.DELETE_NAMES, reason=GONE, effect=Effect.DELETE, needs=gone, details=names)
    if leaves:
        draft.add(Verb.RETIRE_CREDENTIALS, reason=GONE, effect=Effect.DELETE, needs=gone, details=leaves)
