"""FakeCpi: the machines and disks of a fake cloud behind the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.errors import Conflict
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CpiInfo, Disk, DiskCpi, DiskRequest, Vm, VmRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk.testing.fakes.faults import port_call
from kubo_sdk.testing.fakes.machine import FakeDisk
from kubo_sdk.testing.fakes.shell import FakeShell

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud


def _instance(request: VmRequest | DiskRequest) -> str:
    return request.instance.id


class FakeCpi:
    """Every method keeps the promises of the port; what goes wrong is in `Faults`."""

    port = "cpi"

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self.faults = cloud.faults

    def info(self) -> CpiInfo:
        cloud = self._cloud
        return CpiInfo(
            disks=True,
            zones=True,
            shares_trees=cloud.shares_trees,
            stemcell=cloud.stemcell,
            stock_images=cloud.stock_images,
        )

    @port_call()
    def prepare(self, cluster: ClusterId) -> None:
        self._cloud.prepared.add(cluster)

    @port_call(about=_instance)
    def create_vm(self, request: VmRequest) -> Vm:
        return self._cloud.create(request).vm

    @port_call()
    def delete_vm(self, vm_id: str) -> None:
        with self._cloud.lock:
            found = self._cloud.machines_by_id.get(vm_id)
            if found is not None:
                self._cloud.forget(found)

    @port_call()
    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(machine.vm for machine in self._cloud.visible(cluster))

    @port_call()
    def reboot_vm(self, vm_id: str) -> None:
        with self._cloud.lock:
            machine = self._cloud.machine(vm_id)
            self._cloud.require_zone(machine.instance.az)
            machine.halt()
            machine.boot(self._cloud.boot_time())

    def open_shell(self, vm: Vm) -> Shell:
        """NotFound comes with the first command."""
        return FakeShell(self._cloud.machine(vm.id))

    @port_call()
    def dispose(self, cluster: ClusterId) -> None:
        self._cloud.prepared.discard(cluster)

    @port_call(about=_instance)
    def create_disk(self, request: DiskRequest) -> Disk:
        return _disk(self._cloud.create_disk(request))

    @port_call()
    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        with self._cloud.lock:
            self._cloud.attach(self._cloud.machine(vm_id), disk_id)

    @port_call()
    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        with self._cloud.lock:
            self._cloud.detach(vm_id, disk_id)

    @port_call()
    def delete_disk(self, disk_id: str) -> None:
        with self._cloud.lock:
            disk = self._cloud.disks_by_id.get(disk_id)
            if disk is not None and disk.attached_to is not None:
                raise Conflict(f"disk {disk_id} is attached to {disk.attached_to}; detach it first")
            self._cloud.disks_by_id.pop(disk_id, None)

    @port_call()
    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        with self._cloud.lock:
            return tuple(_disk(disk) for disk in self._cloud.disks_by_id.values() if disk.cluster == cluster)


def _disk(disk: FakeDisk) -> Disk:
    return Disk(
        id=disk.id,
        cluster=disk.cluster,
        instance=disk.instance,
        token=disk.token,
        size_mb=disk.size_mb,
        attached_to=disk.attached_to,
    )


_: type[DiskCpi] = FakeCpi
