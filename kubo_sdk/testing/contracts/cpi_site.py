"""Where the suite of a CPI works: a cluster of its own for each test, and nothing left behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from attrs import field, frozen

from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import Cpi, Disk, DiskCpi, DiskRequest, Vm, VmRequest, VmState
from kubo_sdk.testing.contracts.contract import Contract, assert_is_final, not_offered, require_flag

DIRECTOR = "kubo-contract"

Hook = Callable[[], object]


def instance(name: str = "worker/0", az: str = "z1") -> Instance:
    """The slot of that name: ``worker/0``."""
    group, _, index = name.partition("/")
    return Instance(group=group, index=int(index), role=Role.WORKER, az=az)


@frozen
class Site:
    """One CPI and one cluster of its own: what most tests need, in few words."""

    cpi: Cpi
    cluster: ClusterId
    az: str
    size: VmSize
    clock: Clock
    boot_timeout: float
    made_vms: set[str] = field(factory=set, repr=False)
    made_disks: set[str] = field(factory=set, repr=False)

    def request(self, name: str = "worker/0", **more: Any) -> VmRequest:
        """A machine for that slot.  The token is the slot itself, as in the core: unique within its cluster only."""
        slot = instance(name, az=more.pop("az", self.az))
        return VmRequest(
            **{"cluster": self.cluster, "instance": slot, "token": slot.slug, "size": self.size, "tags": TAGS, **more}
        )

    def create(self, name: str = "worker/0", **more: Any) -> Vm:
        vm = self.cpi.create_vm(self.request(name, **more))
        self.made_vms.add(vm.id)
        return vm

    def running(self, name: str = "worker/0", **more: Any) -> Vm:
        """A machine that is up and has an address."""
        return self.await_boot(self.create(name, **more))

    def await_boot(self, vm: Vm) -> Vm:
        """Wait until the machine is running, has an address and can be entered; return it as it is then."""

        def up() -> Vm | None:
            found = self.find(vm.id)
            if found is None or found.state is not VmState.RUNNING or not found.address:
                return None
            return found if self.cpi.open_shell(found).run(["true"]).exit_code == 0 else None

        what = f"the boot of {vm.instance}"
        return wait_until(up, what=what, timeout=self.boot_timeout, interval=0.1, clock=self.clock)

    def find(self, vm_id: str) -> Vm | None:
        return next((vm for vm in self.cpi.list_vms(self.cluster) if vm.id == vm_id), None)

    def run(self, vm: Vm, *command: str, stdin: bytes = b"") -> bytes:
        """What *command* prints on the machine; it must succeed."""
        return self.cpi.open_shell(vm).run(command, stdin=stdin).check(" ".join(command))

    def names(self) -> list[str]:
        """The slots that are filled, sorted; one that two machines fill is there twice."""
        return sorted(vm.instance for vm in self.cpi.list_vms(self.cluster))

    def ids(self) -> list[str]:
        return sorted(vm.id for vm in self.cpi.list_vms(self.cluster))

    @property
    def disks(self) -> DiskCpi:
        """The CPI as one with disks; the test is skipped where it has none."""
        require_flag(self.cpi.info(), "disks")
        return cast("DiskCpi", self.cpi)

    def disk(self, name: str = "etcd/0", **more: Any) -> Disk:
        disk = self.disks.create_disk(self.disk_request(name, **more))
        self.made_disks.add(disk.id)
        return disk

    def disk_request(self, name: str = "etcd/0", **more: Any) -> DiskRequest:
        slot = instance(name, az=self.az)
        return DiskRequest(**{"cluster": self.cluster, "instance": slot, "token": slot.slug, "size_mb": 64, **more})

    def disk_ids(self) -> list[str]:
        return sorted(disk.id for disk in self.disks.list_disks(self.cluster))

    def clear(self) -> None:
        """Remove every machine and disk of the cluster, then what it shares."""
        for vm_id in self.made_vms | set(self.ids()):  # a list may not show yet what was just made
            self.cpi.delete_vm(vm_id)
        if self.cpi.info().disks:
            for disk_id in self.made_disks | set(self.disk_ids()):
                self.disks.delete_disk(disk_id)
        self.cpi.dispose(self.cluster)


TAGS = (("kubo-contract", "yes"), ("role", "worker"))


class CpiSite(Contract):
    """Fixtures.  An author gives ``cpi`` and may give the others.

    ``azs``: two zones the infrastructure has; needed only where ``info().zones``.
    ``vm_size``: what machines to make.  ``boot_timeout``: seconds until one is up and can be entered.
    ``concurrent_creates``: how many machines are made at once; lower it only where they cost money, and the report
    says so.  ``runs_commands``: False only for simulated machines that understand nothing but what the core sends.
    """

    azs: tuple[str, str] = ("z1", "z2")
    vm_size = VmSize()
    boot_timeout = 300.0
    concurrent_creates = 50
    runs_commands = True

    @pytest.fixture
    def cpi(self) -> Cpi:
        """The CPI to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'cpi'")

    @pytest.fixture
    def other_cpi(self, cpi: Cpi) -> Cpi:
        """The CPI for a second cluster, where that takes other options (another subnet)."""
        return cpi

    @pytest.fixture
    def site(self, cpi: Cpi, clock: Clock) -> Iterator[Site]:
        """A prepared cluster of the test's own.  Afterwards it is gone, and so is everything in it."""
        yield from self._prepared(cpi, clock, ClusterId(director=DIRECTOR, name=f"contract-{uuid.uuid4().hex[:6]}"))

    @pytest.fixture
    def other_site(self, site: Site, other_cpi: Cpi, clock: Clock) -> Iterator[Site]:
        """A second cluster beside it, of the same director, whose name begins like the first's."""
        yield from self._prepared(other_cpi, clock, ClusterId(director=DIRECTOR, name=f"{site.cluster.name}-2"))

    @pytest.fixture
    def namesake_site(self, site: Site, other_cpi: Cpi, clock: Clock) -> Iterator[Site]:
        """A second cluster of the same name, of another director, where the provider does not refuse it."""
        namesake = ClusterId(director=f"{DIRECTOR}-2", name=site.cluster.name)
        try:
            other_cpi.prepare(namesake)
        except Conflict as refused:
            assert_is_final(refused)
            pytest.skip("prepare refuses a name that belongs to another director")
        yield from self._prepared(other_cpi, clock, namesake)

    @pytest.fixture(params=["other_site", "namesake_site"])
    def beside(self, request: pytest.FixtureRequest) -> Site:
        """Each of the two clusters that are easily taken for ours."""
        found: Site = request.getfixturevalue(request.param)
        return found

    @pytest.fixture
    def made_by_hand(self) -> Callable[[], object]:
        """``made_by_hand()``: how a machine is now that people made past any provider; the fixture makes it first."""
        not_offered("made_by_hand", "makes a machine that no provider made, and reads how it is")

    def _prepared(self, cpi: Cpi, clock: Clock, cluster: ClusterId) -> Iterator[Site]:
        made = Site(cpi, cluster, self.azs[0], self.vm_size, clock, self.boot_timeout)
        try:
            cpi.prepare(cluster)
            yield made
        finally:
            made.clear()
        self._assert_gone(made)

    def _assert_gone(self, site: Site) -> None:
        def nothing() -> bool | None:
            return None if site.ids() or (site.cpi.info().disks and site.disk_ids()) else True

        wait_until(nothing, what="the end of the cluster", timeout=self.patience, interval=0.05, clock=site.clock)

    def require_commands(self) -> None:
        """Skip the test where machines are simulated."""
        if not self.runs_commands:
            pytest.skip("runs_commands is False: these machines understand nothing but what the core sends")

    @pytest.fixture
    def break_next(self) -> Callable[[str], object]:
        """``break_next("create_vm")``: the next call of that method fails half-way with whatever error is natural."""
        not_offered("break_next", "makes a call fail half-way")

    @pytest.fixture
    def lose_answer(self) -> Callable[[str], object]:
        """``lose_answer("create_vm")``: the next call does its work and then raises Unavailable.

        Without it the suite makes the call and forgets what it returned.
        """
        return lambda _method: None

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        """What the provider was given to log in with, as plain text; none of it may ever be shown."""
        return ()

    @pytest.fixture
    def locked_out(self) -> Cpi:
        """The same provider connected with credentials that are wrong."""
        not_offered("locked_out", "is connected with wrong credentials")

    @pytest.fixture
    def exhaust_quota(self) -> Hook:
        """``exhaust_quota()``: from now on there is no room for another machine."""
        not_offered("exhaust_quota", "takes the room for another machine")

    @pytest.fixture
    def throttle(self) -> Hook:
        """``throttle()``: the infrastructure turns the next call down because there were too many."""
        not_offered("throttle", "makes the infrastructure turn a call down")
