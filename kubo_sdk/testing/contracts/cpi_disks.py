"""What a CPI with disks promises about them.  Part of `CpiContract`; skipped where ``info().disks`` is False."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.ports.cpi import Cpi, Disk, DiskCpi, DiskRequest, Vm
from kubo_sdk.testing.contracts.contract import assert_is_final, at_once, at_once_through, error_of, require_flag
from kubo_sdk.testing.contracts.cpi_site import CpiSite, Site

FILE = "/var/lib/kubo/disk/kubo-contract"
ABSENT_DISK = "kubo-contract-no-such-disk"
CONTENT = b"kept"

Eventually = Callable[..., None]


class DiskCpiContract(CpiSite):
    """Disks: they outlive machines, belong to one at a time and go only on request."""

    @pytest.fixture
    def disk_site(self, cpi: Cpi, request: pytest.FixtureRequest) -> Site:
        """A cluster on a CPI that has disks."""
        require_flag(cpi.info(), "disks")
        site: Site = request.getfixturevalue("site")
        return site

    def test_a_disk_is_found_as_it_was_asked_for(self, disk_site: Site, eventually: Eventually) -> None:
        made = disk_site.disk("etcd/1", size_mb=64)
        assert made.size_mb >= 64
        eventually(lambda: disk_site.disks.list_disks(disk_site.cluster), (made,))
        assert (made.cluster, made.instance, made.token) == (disk_site.cluster, "etcd/1", "etcd-1")
        assert made.attached_to is None

    def test_creating_a_disk_again_with_the_same_token_returns_the_same_disk(
        self, disk_site: Site, eventually: Eventually
    ) -> None:
        first = disk_site.disk()
        assert disk_site.disk().id == first.id
        made = set(at_once(lambda _: disk_site.disk("etcd/1").id, range(8)))
        assert len(made) == 1
        eventually(disk_site.disk_ids, sorted({first.id, *made}))

    def test_another_process_that_creates_a_disk_with_the_same_token_gets_the_same_disk(
        self, disk_site: Site, reconnected: DiskCpi, eventually: Eventually
    ) -> None:
        first = disk_site.disk("etcd/0")
        assert reconnected.create_disk(disk_site.disk_request("etcd/0")).id == first.id
        create: Callable[[DiskCpi, DiskRequest], Disk] = lambda cpi, request: cpi.create_disk(request)  # noqa: E731
        again = [disk_site.disk_request("etcd/1")] * 8
        second = {disk.id for disk in at_once_through((disk_site.disks, reconnected), create, again)}
        assert len(second) == 1
        eventually(disk_site.disk_ids, sorted({first.id, *second}))

    def test_a_cluster_finds_its_own_disks_only(self, disk_site: Site, beside: Site, eventually: Eventually) -> None:
        ours, theirs = disk_site.disk(), beside.disk()
        assert ours.id != theirs.id
        eventually(disk_site.disk_ids, [ours.id])
        eventually(beside.disk_ids, [theirs.id])

    def test_a_disk_asked_for_with_the_machine_is_there_from_its_start(self, disk_site: Site) -> None:
        disk = disk_site.disk()
        vm = disk_site.running("etcd/0", disks=(disk.id,))
        self._assert_attached(disk_site, vm, disk)

    def test_a_disk_outlives_its_machine_with_what_is_on_it(self, disk_site: Site, eventually: Eventually) -> None:
        disk = disk_site.disk()
        old = disk_site.running("etcd/0", disks=(disk.id,))
        self._write(disk_site, old)
        disk_site.cpi.delete_vm(old.id)
        eventually(lambda: disk_site.disks.list_disks(disk_site.cluster), (disk,))
        eventually(disk_site.ids, [])
        new = disk_site.running("etcd/0", disks=(disk.id,))
        self._assert_attached(disk_site, new, disk)
        self._assert_kept(disk_site, new)

    def test_attaching_and_detaching_may_be_done_twice(self, disk_site: Site, eventually: Eventually) -> None:
        disk, vm = disk_site.disk(), disk_site.running("etcd/0")
        for _ in range(2):
            disk_site.disks.attach_disk(vm.id, disk.id)
        self._assert_attached(disk_site, vm, disk)
        self._write(disk_site, vm)
        for _ in range(2):
            disk_site.disks.detach_disk(vm.id, disk.id)
        eventually(lambda: disk_site.disks.list_disks(disk_site.cluster), (disk,))
        eventually(lambda: [found.disks for found in disk_site.cpi.list_vms(disk_site.cluster)], [()])
        disk_site.disks.attach_disk(vm.id, disk.id)
        self._assert_kept(disk_site, vm)

    def test_a_disk_moves_to_another_machine_with_what_is_on_it(self, disk_site: Site) -> None:
        disk = disk_site.disk()
        first, second = disk_site.running("etcd/0", disks=(disk.id,)), disk_site.running("etcd/1")
        self._write(disk_site, first)
        disk_site.disks.detach_disk(first.id, disk.id)
        disk_site.disks.attach_disk(second.id, disk.id)
        self._assert_attached(disk_site, second, disk)
        self._assert_kept(disk_site, second)

    def test_a_reboot_keeps_the_disk(self, disk_site: Site) -> None:
        disk = disk_site.disk()
        vm = disk_site.running("etcd/0", disks=(disk.id,))
        self._write(disk_site, vm)
        disk_site.cpi.reboot_vm(vm.id)
        self._assert_attached(disk_site, disk_site.await_boot(vm), disk)
        self._assert_kept(disk_site, vm)

    def test_a_disk_that_another_machine_has_is_a_conflict(self, disk_site: Site, eventually: Eventually) -> None:
        disk = disk_site.disk()
        holder, other = disk_site.running("etcd/0", disks=(disk.id,)), disk_site.running("etcd/1")
        assert_is_final(error_of(lambda: disk_site.disks.attach_disk(other.id, disk.id), Conflict))
        assert_is_final(error_of(lambda: disk_site.create("etcd/2", disks=(disk.id,)), Conflict))
        eventually(disk_site.ids, sorted((holder.id, other.id)))
        self._assert_attached(disk_site, holder, disk)

    def test_a_disk_in_use_is_not_deleted(self, disk_site: Site, eventually: Eventually) -> None:
        disk = disk_site.disk()
        vm = disk_site.running("etcd/0", disks=(disk.id,))
        assert_is_final(error_of(lambda: disk_site.disks.delete_disk(disk.id), Conflict))
        self._assert_attached(disk_site, vm, disk)
        disk_site.cpi.delete_vm(vm.id)
        eventually(lambda: disk_site.disks.list_disks(disk_site.cluster), (disk,))
        disk_site.disks.delete_disk(disk.id)
        eventually(disk_site.disk_ids, [])

    def test_deleting_a_disk_takes_no_neighbour_and_what_is_absent_is_no_trouble(
        self, disk_site: Site, eventually: Eventually
    ) -> None:
        first, second = disk_site.disk("etcd/0"), disk_site.disk("etcd/1")
        for _ in range(2):
            disk_site.disks.delete_disk(first.id)
        disk_site.disks.delete_disk(ABSENT_DISK)
        eventually(disk_site.disk_ids, [second.id])

    def test_detaching_what_is_absent_is_no_trouble(self, disk_site: Site) -> None:
        disk, vm = disk_site.disk(), disk_site.create("etcd/0")
        disk_site.disks.detach_disk(vm.id, ABSENT_DISK)
        disk_site.disks.detach_disk("kubo-contract-no-such-machine", disk.id)

    def test_attaching_what_is_absent_is_not_found(self, disk_site: Site) -> None:
        disk, vm = disk_site.disk(), disk_site.running("etcd/0")
        attach = disk_site.disks.attach_disk
        assert_is_final(error_of(lambda: attach(vm.id, ABSENT_DISK), NotFound))
        assert_is_final(error_of(lambda: attach("kubo-contract-no-such-machine", disk.id), NotFound))
        assert_is_final(error_of(lambda: disk_site.create("etcd/1", disks=(ABSENT_DISK,)), NotFound))
        assert disk_site.names() == ["etcd/0"]

    def _assert_attached(self, site: Site, vm: Vm, disk: Disk) -> None:
        found = site.find(vm.id)
        assert found is not None
        assert found.disks == (disk.id,)
        assert {each.id: each.attached_to for each in site.disks.list_disks(site.cluster)}[disk.id] == vm.id

    def _write(self, site: Site, vm: Vm) -> None:
        if self.runs_commands:
            site.run(vm, "sh", "-c", f"cat > {FILE}", stdin=CONTENT)

    def _assert_kept(self, site: Site, vm: Vm) -> None:
        if self.runs_commands:
            assert site.run(vm, "cat", FILE) == CONTENT
