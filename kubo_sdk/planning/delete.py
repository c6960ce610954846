"""Plans the deletion of a cluster: everything that carries its tags, and its credentials."""

from __future__ import annotations

from collections.abc import Sequence

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import fingerprint_of
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.ports.cpi import Disk, Vm


def plan_delete(
    cluster: ClusterId,
    *,
    vms: Sequence[Vm],
    disks: Sequence[Disk],
    credentials: Sequence[str],
    endpoints: Sequence[str],
    names: Sequence[str],
    keep_disks: bool,
) -> Plan:
    """The steps that leave nothing behind.

    With *keep_disks* the persistent disks stay, and so do the credentials, without which a disk's content is lost, and
    what the machines shared: it remembers their addresses.
    """
    draft = Draft()
    if endpoints:
        draft.add(Verb.DELETE_ENDPOINTS, reason="the cluster goes", effect=Effect.DELETE, details=endpoints)
    if names:
        draft.add(Verb.DELETE_NAMES, reason="the cluster goes", effect=Effect.DELETE, details=names)
    for vm in vms:
        draft.add(
            Verb.DELETE_VM, instance=vm.instance, reason="the cluster goes", effect=Effect.DELETE, details=[vm.id]
        )
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
            needs=(*draft.ids(Verb.DELETE_VM), *draft.ids(Verb.DELETE_DISK)),
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
