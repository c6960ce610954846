"""Plans the deletion of a cluster: everything that carries its tags, and its credentials."""

from __future__ import annotations

from collections.abc import Sequence

from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import fingerprint_of, role_of
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.ports.cpi import Disk, Vm, VmState


def plan_delete(
    cluster: ClusterId,
    *,
    vms: Sequence[Vm],
    disks: Sequence[Disk],
    credentials: Sequence[str],
    endpoints: Sequence[str],
    names: Sequence[str],
    keep_disks: bool,
    self_registering: bool = False,
    withdrawn_by: Sequence[str] = (),
) -> Plan:
    """The steps that leave nothing behind.

    With *keep_disks* the persistent disks stay, and so do the credentials, without which a disk's content is lost, and
    what the machines shared: it remembers their addresses.  Machines that are *self_registering* go before their
    endpoints, which they would make anew; before any machine goes, masters stop the units *withdrawn_by*, which take
    back what nobody else can: for that they need the API, and it needs etcd.
    """
    draft = Draft()
    if not self_registering:
        _endpoints_go(draft, endpoints)
    if names:
        draft.add(Verb.DELETE_NAMES, reason="the cluster goes", effect=Effect.DELETE, details=names)
    withdrawn = [_withdraw(draft, vm.instance, withdrawn_by) for vm in vms if withdrawn_by and _is_running_master(vm)]
    for vm in vms:
        draft.add(
            Verb.DELETE_VM,
            instance=vm.instance,
            reason="the cluster goes",
            effect=Effect.DELETE,
            needs=withdrawn,
            details=[vm.id],
        )
    if self_registering:
        _endpoints_go(draft, endpoints)
    if not keep_disks:
        for disk in disks:
            draft.add(
                Verb.DELETE_DISK,
                instance=disk.instance,
                reason="the cluster goes, and what is on the disk is lost",
                effect=Effect.LOSE_DATA,
                needs=[f"{Verb.DELETE_VM} {disk.instance}"],
                details=[disk.id],
            )
    if not keep_disks:
        # Disposing is cheap and finds by itself that nothing is there, so a half-deleted cluster is always finished.
        draft.add(
            Verb.DISPOSE_INFRASTRUCTURE,
            reason="what only this cluster's machines shared goes",
            effect=Effect.DELETE,
            needs=(*draft.ids(Verb.DELETE_VM), *draft.ids(Verb.DELETE_DISK), *draft.ids(Verb.DELETE_ENDPOINTS)),
        )
    if credentials and not keep_disks:
        draft.add(
            Verb.DELETE_CREDENTIALS,
            reason="nobody needs them any more",
            effect=Effect.LOSE_DATA,
            needs=[Verb.DISPOSE_INFRASTRUCTURE],
            details=[f"{len(credentials)} credentials"],
        )
    fingerprint = fingerprint_of([sorted(vm.id for vm in vms), sorted(disk.id for disk in disks), keep_disks])
    return draft.plan(cluster, "delete", fingerprint, keeps_disks=keep_disks)


def _is_running_master(vm: Vm) -> bool:
    return vm.state is VmState.RUNNING and role_of(vm) is Role.MASTER


def _withdraw(draft: Draft, name: str, units: Sequence[str]) -> str:
    return draft.add(
        Verb.QUIESCE, instance=name, reason="its routes are taken back", effect=Effect.DELETE, details=units
    )


def _endpoints_go(draft: Draft, endpoints: Sequence[str]) -> None:
    """After the machines that are planned to go already."""
    if endpoints:
        draft.add(
            Verb.DELETE_ENDPOINTS,
            reason="the cluster goes",
            effect=Effect.DELETE,
            needs=draft.ids(Verb.DELETE_VM),
            details=endpoints,
        )
