"""LibcloudCpi: the port's methods over any `Cloud`."""

from __future__ import annotations

from contextlib import suppress

from attrs import field, frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CpiInfo, Disk, DiskCpi, DiskRequest, Vm, VmRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Cloud, Machine
from kubo_sdk_libcloud.disks import Disks, disk_of
from kubo_sdk_libcloud.doors import Doors
from kubo_sdk_libcloud.firewall import Rule
from kubo_sdk_libcloud.locks import Locks
from kubo_sdk_libcloud.login import LoginKeys
from kubo_sdk_libcloud.machines import Machines, vm_of

# Seconds that a cloud may take to let go of what the last machines used.
_RELEASE_SECONDS = 300.0


@frozen(kw_only=True)
class LibcloudCpi:
    """Machines of one cloud.  ``rules``: what the security group of a cluster accepts."""

    cloud: Cloud
    rules: tuple[Rule, ...] = field(repr=False)
    machines: Machines = field(repr=False)
    disks: Disks = field(repr=False)
    doors: Doors = field(repr=False)
    login: LoginKeys = field(repr=False)
    _locks: Locks = field(factory=Locks, repr=False, init=False, eq=False)

    def info(self) -> CpiInfo:
        can = self.cloud.abilities()
        return CpiInfo(disks=can.volumes, zones=can.zones, stemcell=self.cloud.image(), stock_images=True)

    def prepare(self, cluster: ClusterId) -> None:
        with self._locks.hold(cluster):
            self.cloud.ensure_shared(cluster, self.rules, tags.of_cluster(cluster))
        self.login.ensure(cluster)

    def create_vm(self, request: VmRequest) -> Vm:
        name = request.instance.id
        with self._locks.hold("vm", request.cluster, request.token):
            self._check_disks(request)
            machine, made = self.machines.ensure(request)
            try:
                machine = self.machines.started(machine, name)
                self.doors.learn(machine)
                self.doors.await_entry(machine.id, name)
                for disk_id in request.disks:
                    self.disks.attach(machine, disk_id, name)
                machine = self.machines.get(machine.id) if request.disks else machine
            except Exception:
                if made:
                    self._undo(machine, request)
                raise
        return self._vm(machine)

    def _check_disks(self, request: VmRequest) -> None:
        if request.disks:
            found = self.cloud.list_machines(request.cluster, request.token)
            self.disks.check(request.disks, min((each.id for each in found), default=None))

    def _undo(self, machine: Machine, request: VmRequest) -> None:
        self.doors.forget(machine.id)
        self.machines.undo(machine, request.instance.id)
        with suppress(Exception):  # the error that is on its way says more
            self.disks.released(machine.id, request.disks)

    def _vm(self, machine: Machine) -> Vm:
        found = vm_of(machine)
        if found is None:
            raise NotFound(f"machine {machine.id} has lost its tags; delete it by hand and run it again")
        return found

    def delete_vm(self, vm_id: str) -> None:
        with suppress(NotFound):
            machine = self.machines.get(vm_id)
            self.doors.forget(vm_id)
            self.cloud.delete_machine(vm_id)
            self.disks.released(vm_id, machine.volumes)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        found = self.cloud.list_machines(cluster)
        for machine in found:
            self.doors.learn(machine)
        return tuple(vm for vm in map(vm_of, found) if vm is not None)

    def reboot_vm(self, vm_id: str) -> None:
        machine = self.machines.get(vm_id)
        name = machine.tags.get(tags.INSTANCE, vm_id)
        self.doors.forget(vm_id)
        self.machines.stopped(machine, name)
        started = self.machines.started(machine, name)
        self.doors.learn(started)
        for disk_id in machine.volumes:
            self.disks.mount(vm_id, disk_id, name)

    def open_shell(self, vm: Vm) -> Shell:
        return self.doors.shell(vm.id, vm.instance)

    def dispose(self, cluster: ClusterId) -> None:
        machines, volumes = self.cloud.list_machines(cluster), self.cloud.list_volumes(cluster)
        if machines or volumes:
            left = ", ".join(sorted([each.id for each in machines] + [each.id for each in volumes]))
            raise Conflict(f"cluster {cluster} still has machines or disks ({left}); delete them first")

        def removed() -> bool:
            self.cloud.remove_shared(cluster)
            return True

        what = f"the end of what cluster {cluster} shares"
        clock = self.machines.clock
        wait_until(removed, what=what, timeout=_RELEASE_SECONDS, interval=self.machines.interval, clock=clock)
        self.login.forget(cluster)

    def create_disk(self, request: DiskRequest) -> Disk:
        with self._locks.hold("disk", request.cluster, request.token):
            return disk_of(self.disks.create(request))

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        machine = self.machines.get(vm_id)
        with self._locks.hold("attach", vm_id):
            self.disks.attach(machine, disk_id, machine.tags.get(tags.INSTANCE, vm_id))

    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        with suppress(NotFound):
            machine = self.machines.get(vm_id)
            with self._locks.hold("attach", vm_id):
                self.disks.detach(machine, disk_id, machine.tags.get(tags.INSTANCE, vm_id))

    def delete_disk(self, disk_id: str) -> None:
        self.disks.delete(disk_id)

    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        return self.disks.list(cluster)


_: type[DiskCpi] = LibcloudCpi
