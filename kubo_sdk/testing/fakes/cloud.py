"""FakeCloud: machines, disks and everything around them, in memory, with faults to be injected and virtual time."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from kubo_sdk.errors import Conflict, NotFound, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import DiskRequest, VmRequest
from kubo_sdk.testing.fakes.addresses import Addresses
from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.faults import Faults
from kubo_sdk.testing.fakes.kubelets import Nodes
from kubo_sdk.testing.fakes.machine import FakeDisk, FakeMachine
from kubo_sdk.testing.fakes.plugin import FakePlugin
from kubo_sdk.testing.fakes.site import FakeSite
from kubo_sdk.testing.fakes.store import MemoryStore
from kubo_sdk.testing.fakes.wire import Doorman, Listener, break_off

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.api_process import ApiProcess
    from kubo_sdk.testing.fakes.etcd_process import EtcdProcess


class FakeCloud:
    """One infrastructure, with providers called ``fake`` for all six ports.  Thread-safe; close it after use.

    *zones*: the zones there are; None takes any.  *boot_seconds* and *jitter*: how long a machine takes to come up,
    and by how much that varies, in virtual seconds.  *quota*: the most machines.  *lag*: for how long lists do not show
    what was made or deleted.  *shares_trees*: machines see directories of this host.  *stock_images*: machines come
    with nothing but a stock image, and are prepared.  *node_cidrs*: the overlay wants a pod CIDR for each Node, instead
    of keys in etcd.  *seed* makes the jitter repeatable.

    ``broken_programs``: programs that end right after every start, as (unit, what their path has in it).
    ``machines`` holds the living machines by instance (``worker/1``); with several clusters use ``machines_of``.
    """

    def __init__(
        self,
        *,
        clock: VirtualClock | None = None,
        zones: Sequence[str] | None = None,
        boot_seconds: float = 5.0,
        jitter: float = 0.0,
        quota: int | None = None,
        lag: float = 0.0,
        shares_trees: bool = True,
        stock_images: bool = False,
        node_cidrs: bool = False,
        seed: int = 0,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.faults = Faults(self.clock)
        self.zones = None if zones is None else frozenset(zones)
        self.quota, self.lag = quota, lag
        self.shares_trees, self.stock_images, self.node_cidrs = shares_trees, stock_images, node_cidrs
        self.stemcell = "one"
        self.lock = threading.RLock()
        self.doorman = Doorman(self.clock.working)
        self.store = MemoryStore(self.clock, self.faults)
        self.machines_by_id: dict[str, FakeMachine] = {}
        self.disks_by_id: dict[str, FakeDisk] = {}
        self.etcd_at: dict[str, EtcdProcess] = {}
        self.api_at: dict[tuple[str, int], ApiProcess] = {}
        self.lost_zones: set[str] = set()
        self.broken_programs: set[tuple[str, str]] = set()
        self.prepared: set[ClusterId] = set()
        self._deleted: list[tuple[float, FakeMachine]] = []
        self._sites: dict[ClusterId, FakeSite] = {}
        self._slots: dict[tuple[ClusterId, str], FakeMachine] = {}
        self._addresses = Addresses()
        self._boot, self._jitter = boot_seconds, jitter
        self._chance = random.Random(seed)  # noqa: S311 (jitter is no secret)
        self.restarting: set[FakeMachine] = set()
        self._contents: dict[bytes, bytes] = {}
        self._made = 0
        self._closed = False

    # -- for tests

    def plugin(self) -> FakePlugin:
        """The providers, for ``Plugins(cloud.plugin(), load_installed=False)``."""
        return FakePlugin(self)

    @property
    def machines(self) -> Mapping[str, FakeMachine]:
        """The living machines by the instance they fill."""
        with self.lock:
            return {machine.instance.id: machine for machine in self.machines_by_id.values()}

    def machines_of(self, cluster: ClusterId) -> Mapping[str, FakeMachine]:
        """The living machines of one cluster by the instance they fill."""
        with self.lock:
            return {m.instance.id: m for m in self.machines_by_id.values() if m.cluster == cluster}

    @property
    def disks(self) -> Mapping[str, FakeDisk]:
        """The disks by the instance they belong to."""
        with self.lock:
            return {disk.instance: disk for disk in self.disks_by_id.values()}

    def lose_az(self, zone: str) -> None:
        """Power and network of a zone are gone: its machines are off, and none can be made or started there."""
        with self.lock:
            self.lost_zones.add(zone)
            for machine in self._of_zone(zone):
                machine.power_off()

    def restore_az(self, zone: str) -> None:
        """The zone is back, its machines are still off."""
        with self.lock:
            self.lost_zones.discard(zone)

    def power_cycle_all(self) -> None:
        """Every machine loses its power and gets it back at once."""
        with self.lock:
            machines = tuple(self.machines_by_id.values())
            for machine in machines:
                machine.power_off()
            for machine in machines:
                machine.power_on()

    def close(self) -> None:
        """End every thread and socket."""
        if not self._closed:
            self._closed = True
            self.doorman.close()
            self._addresses.close()

    def __enter__(self) -> FakeCloud:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # -- for the providers; they hold the lock

    def site(self, cluster: ClusterId) -> FakeSite:
        """What *cluster* has beside machines."""
        with self.lock:
            if cluster not in self._sites:
                self._sites[cluster] = FakeSite(cloud=self, cluster=cluster, nodes=Nodes(self.node_cidrs))
            return self._sites[cluster]

    def sites(self) -> tuple[FakeSite, ...]:
        """What every cluster has."""
        with self.lock:
            return tuple(self._sites.values())

    def take_address(self) -> str:
        """An address nobody had before."""
        with self.lock:
            return self._addresses.take()

    def boot_time(self) -> float:
        """How long the next machine takes to come up."""
        return max(0.0, self._boot + self._chance.uniform(-self._jitter, self._jitter))

    def machine(self, vm_id: str) -> FakeMachine:
        """The living machine of that id; NotFound when it is gone."""
        found = self.machines_by_id.get(vm_id)
        if found is None:
            raise NotFound(f"there is no machine {vm_id}")
        return found

    def create(self, request: VmRequest) -> FakeMachine:
        """The machine of the request's token, made when there is none."""
        with self.lock:
            self.require_zone(request.instance.az)
            found = self._slots.get((request.cluster, request.token))
            if found is not None:
                if not found.is_up and found.power is not found.power.RUNNING:
                    found.boot(self.boot_time())
                return found
            if self.quota is not None and len(self.machines_by_id) >= self.quota:
                raise QuotaExceeded(f"the quota of {self.quota} machines is used up; delete some or ask for more")
            return self._make(request)

    def _make(self, request: VmRequest) -> FakeMachine:
        self._made += 1
        now = self.clock.time
        machine = FakeMachine(
            cloud=self,
            id=f"vm-{self._made}",
            cluster=request.cluster,
            instance=request.instance,
            token=request.token,
            address=self.take_address(),
            tags=request.tags,
            made_at=now,
            booted_at=now + self.boot_time(),
        )
        for disk in request.disks:
            self._require_free(machine, disk)
        for disk in request.disks:
            self.attach(machine, disk)
        machine.trees.update(str(tree.target) for tree in request.trees)
        self.machines_by_id[machine.id] = machine
        self._slots[request.cluster, request.token] = machine
        return machine

    def forget(self, machine: FakeMachine) -> None:
        """Remove a machine; its disks are detached and kept."""
        with self.lock:
            machine.halt()
            machine.is_gone = True
            for disk in tuple(machine.disks):
                if disk in self.disks_by_id:
                    self.disks_by_id[disk].attached_to = None
            if self.machines_by_id.pop(machine.id, None) is not None:
                self._slots.pop((machine.cluster, machine.token), None)
                self._deleted.append((self.clock.time, machine))

    def visible(self, cluster: ClusterId) -> list[FakeMachine]:
        """What a list shows, with the cloud's lag."""
        with self.lock:
            seen = self.clock.time - self.lag
            self._deleted = [each for each in self._deleted if each[0] > seen]
            ghosts = [machine for _, machine in self._deleted] if self.lag else []
            return [
                machine
                for machine in (*ghosts, *self.machines_by_id.values())
                if machine.cluster == cluster and (not self.lag or machine.made_at <= seen)
            ]

    def require_zone(self, zone: str) -> None:
        if self.zones is not None and zone not in self.zones:
            raise NotFound(f"there is no zone {zone!r}; there are: {', '.join(sorted(self.zones))}")
        if zone in self.lost_zones:
            raise Unavailable(f"zone {zone} does not answer; wait until it is back", retry_after=None)

    def create_disk(self, request: DiskRequest) -> FakeDisk:
        """The disk of the request's token, made when there is none."""
        with self.lock:
            self.require_zone(request.instance.az)
            for disk in self.disks_by_id.values():
                if (disk.cluster, disk.token) == (request.cluster, request.token):
                    return disk
            self._made += 1
            disk = FakeDisk(
                id=f"disk-{self._made}",
                cluster=request.cluster,
                instance=request.instance.id,
                token=request.token,
                size_mb=request.size_mb,
                made_at=self.clock.time,
            )
            self.disks_by_id[disk.id] = disk
            return disk

    def attach(self, machine: FakeMachine, disk_id: str) -> None:
        """Give a disk to a machine.  Conflict when another one has it."""
        disk = self._require_free(machine, disk_id)
        disk.attached_to, machine.disk_is_lost = machine.id, False
        if disk_id not in machine.disks:
            machine.disks.append(disk_id)

    def _require_free(self, machine: FakeMachine, disk_id: str) -> FakeDisk:
        disk = self.disks_by_id.get(disk_id)
        if disk is None:
            raise NotFound(f"there is no disk {disk_id}")
        if disk.attached_to not in (None, machine.id):
            raise Conflict(f"disk {disk_id} is attached to {disk.attached_to}; detach it first")
        return disk

    def detach(self, vm_id: str, disk_id: str) -> None:
        """Take a disk from a machine; what needs it there stops."""
        machine, disk = self.machines_by_id.get(vm_id), self.disks_by_id.get(disk_id)
        if machine is not None and disk_id in machine.disks:
            machine.disks.remove(disk_id)
            machine.crash_what_needs_the_disk()
        if disk is not None and disk.attached_to == vm_id:
            disk.attached_to = None

    def shared(self, content: bytes) -> bytes:
        """The same bytes, kept once for all machines."""
        return self._contents.setdefault(content, content)

    def kubernetes_version(self, machine: FakeMachine) -> str:
        """What the machine's tags say it was made for."""
        return dict(machine.tags).get("kubernetes", "0.0.0")

    def break_off(self, listener: Listener | None) -> None:
        """Break the connections of a listener off."""
        if listener is not None:
            break_off(listener)

    def settle(self) -> None:
        """Let systemd try what it restarts for ever."""
        with self.lock:
            for machine in tuple(self.restarting):
                machine.try_again()

    def _of_zone(self, zone: str) -> list[FakeMachine]:
        return [machine for machine in self.machines_by_id.values() if machine.instance.az == zone]
