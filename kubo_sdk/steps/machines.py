"""Machines and disks: prepare, create, reboot, delete, dispose."""

from __future__ import annotations

from typing import cast

from kubo_sdk.errors import NotFound
from kubo_sdk.model.release import NODE_RELEASES
from kubo_sdk.planning.plan import Step
from kubo_sdk.planning.replacement import made_of
from kubo_sdk.ports.cpi import DiskCpi, DiskRequest, SharedTree, VmRequest
from kubo_sdk.releases.packed import pack_release
from kubo_sdk.steps.context import StepContext


def fetch_release(context: StepContext, _step: Step) -> None:
    """Packed at once where machines are sent it, so that none of them waits for that."""
    context.state.release = context.releases.fetch(context.spec.kubernetes.version, context.say)
    if not context.providers.abilities.shares_trees and not context.spec.preparation.release_url:
        pack_release(context.state.release.tree)


def prepare_infrastructure(context: StepContext, _step: Step) -> None:
    context.providers.cpi.prepare(context.spec.id)


def create_disk(context: StepContext, step: Step) -> None:
    instance = context.instance(step.instance)
    group = context.spec.group(instance.group)
    request = DiskRequest(
        cluster=context.spec.id, instance=instance, token=instance.slug, size_mb=group.persistent_disk_mb
    )
    context.state.disks[instance.id] = _disk_cpi(context).create_disk(request)


def create_vm(context: StepContext, step: Step) -> None:
    """The token is the slot itself: whatever was half made for it is completed, never made twice."""
    instance = context.instance(step.instance)
    size = context.spec.group(instance.group).vm
    disk = context.state.disks.get(instance.id)
    trees: tuple[SharedTree, ...] = ()
    if context.providers.cpi.info().shares_trees:
        trees = (SharedTree(source=context.release().tree.parent, target=NODE_RELEASES),)
    request = VmRequest(
        cluster=context.spec.id,
        instance=instance,
        token=instance.slug,
        size=size,
        disks=(disk.id,) if disk is not None else (),
        trees=trees,
        tags=(
            ("role", str(instance.role)),
            ("kubernetes", str(context.spec.kubernetes.version)),
            *made_of(size, context.providers.abilities),
        ),
    )
    context.state.vms[instance.id] = context.providers.cpi.create_vm(request)
    context.state.manifests[instance.id] = None
    context.state.newly_made.add(instance.id)
    context.state.withdrawn.discard(instance.id)
    context.state.surroundings = None


def reboot_vm(context: StepContext, step: Step) -> None:
    context.providers.cpi.reboot_vm(context.vm(str(step.instance)).id)


def delete_vm(context: StepContext, step: Step) -> None:
    for vm_id in step.details:
        context.providers.cpi.delete_vm(vm_id)
    context.state.vms.pop(str(step.instance), None)
    context.state.surroundings = None


def delete_disk(context: StepContext, step: Step) -> None:
    for disk_id in step.details:
        _disk_cpi(context).delete_disk(disk_id)
    context.state.disks.pop(str(step.instance), None)


def dispose_infrastructure(context: StepContext, _step: Step) -> None:
    context.providers.cpi.dispose(context.spec.id)


def _disk_cpi(context: StepContext) -> DiskCpi:
    cpi = context.providers.cpi
    if not cpi.info().disks:
        raise NotFound(f"cpi {context.spec.cpi.provider!r} has no persistent disks")
    return cast(DiskCpi, cpi)
