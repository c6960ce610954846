"""LocalCpi: the port's methods, each a few calls of the modules that do the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from attrs import evolve, frozen

from kubo_sdk.errors import Conflict, KuboError, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CpiInfo, Disk, DiskCpi, DiskRequest, Vm, VmRequest, VmState
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_local import attachment, clusters, creation, disks, machines
from kubo_sdk_local.config import LocalConfig, check
from kubo_sdk_local.layout import Layout, Place
from kubo_sdk_local.records import MachineRecord, read_machine, read_machines
from kubo_sdk_local.shell import LocalShell
from kubo_sdk_local.stemcell import Stemcell
from kubo_sdk_local.storage import locked


@frozen
class LocalCpi:
    """Machines on this host, in the network namespace of the calling thread."""

    config: LocalConfig
    layout: Layout
    stemcell: Stemcell

    def info(self) -> CpiInfo:
        stock = self.config.stock_tree is not None
        return CpiInfo(disks=True, zones=True, shares_trees=not stock, stock_images=stock, stemcell=self.stemcell.name)

    def prepare(self, cluster: ClusterId) -> None:
        clusters.prepare(self.config, self.layout, self.stemcell, cluster)

    def create_vm(self, request: VmRequest) -> Vm:
        slug = request.instance.slug
        with self._machine_lock(request.cluster, slug) as lock:
            record = creation.ensure_record(self.layout, self.stemcell.tree, request)
            before = machines.state(self.layout.machine(request.cluster, slug))
            if before is not VmState.RUNNING:
                self._start(record, lock, keep=before is VmState.STOPPED)
            return self._vm(record)

    def _start(self, record: MachineRecord, lock: int, *, keep: bool) -> None:
        """Start the machine from whatever state; remove what was made of it when that fails, unless *keep*."""
        machines.stop(self.layout, record)
        try:
            machines.start(self.layout, record, lock)
        except Exception:
            if not keep:
                with suppress(KuboError):
                    machines.remove(self.layout, record)
            raise

    def delete_vm(self, vm_id: str) -> None:
        with suppress(NotFound), self._locked_machine(vm_id) as (record, _):
            machines.remove(self.layout, record)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(self._vm(record) for record in read_machines(self.layout, cluster))

    def reboot_vm(self, vm_id: str) -> None:
        with self._locked_machine(vm_id) as (record, lock):
            self._start(record, lock, keep=True)

    def open_shell(self, vm: Vm) -> LocalShell:
        place = Place.parse(vm.id)
        if place is None:
            raise NotFound(f"there is no machine {vm.id}")
        return LocalShell(self.layout, place)

    def dispose(self, cluster: ClusterId) -> None:
        clusters.dispose(self.layout, self.stemcell, cluster)

    def create_disk(self, request: DiskRequest) -> Disk:
        with self._cluster_lock(request.cluster):
            record = disks.create(self.layout, request)
        return record.disk(self._holder(record))

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        with self._locked_machine(vm_id) as (record, _), self._cluster_lock(record.owner):
            attachment.attach(self.layout, record, disk_id)

    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        with suppress(NotFound), self._locked_machine(vm_id) as (record, _), self._cluster_lock(record.owner):
            attachment.detach(self.layout, record, disk_id)

    def delete_disk(self, disk_id: str) -> None:
        place = Place.parse(disk_id)
        if place is None or not disks.directory_of(self.layout, place).exists():
            return
        with self._cluster_lock(place.cluster):
            record = disks.find(self.layout, place)
            holder = None if record is None else self._holder(record)
            if holder is not None:
                raise Conflict(f"disk {disk_id} is attached to {holder}; detach it first")
            disks.remove(self.layout, place)

    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        return tuple(record.disk(self._holder(record)) for record in disks.read_all(self.layout, cluster))

    def _holder(self, record: disks.DiskRecord) -> str | None:
        machine = disks.holder(read_machines(self.layout, record.place.cluster), record.place.id)
        return None if machine is None else machine.id

    @contextmanager
    def _machine_lock(self, cluster: ClusterId, slug: str) -> Iterator[int]:
        with locked(self.layout.machine_lock(cluster, slug), f"{slug} of cluster {cluster}") as lock:
            yield lock

    @contextmanager
    def _cluster_lock(self, cluster: ClusterId) -> Iterator[None]:
        with locked(self.layout.cluster_lock(cluster), f"cluster {cluster}"):
            yield

    @contextmanager
    def _locked_machine(self, vm_id: str) -> Iterator[tuple[MachineRecord, int]]:
        """The machine of that id with its lock held; NotFound when there is none."""
        place = Place.parse(vm_id)
        if place is None or self._find(place) is None:
            raise NotFound(f"there is no machine {vm_id}")
        with self._machine_lock(place.cluster, place.leaf) as lock:
            record = self._find(place)
            if record is None:
                raise NotFound(f"there is no machine {vm_id}")
            yield record, lock

    def _find(self, place: Place) -> MachineRecord | None:
        record = read_machine(self.layout.machine(place.cluster, place.leaf))
        return record if record is not None and record.id == place.id else None

    def _vm(self, record: MachineRecord) -> Vm:
        return Vm(
            id=record.id,
            cluster=record.owner,
            instance=record.instance,
            token=record.token,
            state=machines.state(self.layout.machine(record.owner, record.slug)),
            address=record.address,
            az=record.az,
            provider_id=f"kubo-local://{record.id}",
            disks=record.disks,
            tags=record.tags,
        )


def connect(config: LocalConfig, context: ConnectContext) -> DiskCpi:
    """The CPI for this config; relative paths start at the spec's directory.  ConfigError when it cannot work."""
    config = evolve(
        config,
        root=(context.base_dir / (config.root or context.state_dir)).resolve(),
        cache=(context.base_dir / (config.cache or context.cache_dir)).resolve(),
        stock_tree=(context.base_dir / config.stock_tree).resolve() if config.stock_tree else None,
    )
    check(config)
    return LocalCpi(config, Layout(config.state), Stemcell.of(config))
