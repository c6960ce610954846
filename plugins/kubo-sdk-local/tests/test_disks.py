"""Persistent disks: they outlive machines, belong to one at a time, and go only on request."""

from __future__ import annotations

import pytest

from kubo_sdk.errors import Conflict, NotFound, QuotaExceeded
from kubo_sdk.ports.cpi import Disk, DiskRequest
from kubo_sdk_local.cpi import LocalCpi

from .conftest import DEMO, instance, out, request

FILE = "/var/lib/kubo/disk/file"


def disk(cpi: LocalCpi, name: str = "etcd/0", size_mb: int = 64) -> Disk:
    return cpi.create_disk(DiskRequest(cluster=DEMO, instance=instance(name), token=f"disk of {name}", size_mb=size_mb))


def test_a_disk_outlives_its_machine_and_keeps_what_is_on_it(cpi: LocalCpi) -> None:
    made = disk(cpi)
    assert (made.instance, made.size_mb, made.attached_to) == ("etcd/0", 64, None)
    vm = cpi.create_vm(request("etcd/0", disks=(made.id,)))
    assert vm.disks == (made.id,)
    out(cpi, vm, "sh", "-c", f"echo kept > {FILE}")
    cpi.delete_vm(vm.id)
    assert cpi.list_disks(DEMO) == (made,)
    again = cpi.create_vm(request("etcd/0", disks=(made.id,)))
    assert out(cpi, again, "cat", FILE) == "kept"
    assert [found.attached_to for found in cpi.list_disks(DEMO)] == [again.id]


def test_creating_a_disk_twice_makes_one(cpi: LocalCpi) -> None:
    assert disk(cpi) == disk(cpi)
    assert len(cpi.list_disks(DEMO)) == 1


def test_a_disk_comes_and_goes_on_a_running_machine_and_survives_its_reboot(cpi: LocalCpi) -> None:
    vm, made = cpi.create_vm(request("etcd/0")), disk(cpi)
    cpi.attach_disk(vm.id, made.id)
    cpi.attach_disk(vm.id, made.id)
    assert out(cpi, vm, "mountpoint", "/var/lib/kubo/disk") == "/var/lib/kubo/disk is a mountpoint"
    out(cpi, vm, "sh", "-c", f"echo kept > {FILE}")
    cpi.reboot_vm(vm.id)
    assert out(cpi, vm, "cat", FILE) == "kept"
    cpi.detach_disk(vm.id, made.id)
    cpi.detach_disk(vm.id, made.id)
    assert cpi.open_shell(vm).run(["mountpoint", "-q", "/var/lib/kubo/disk"]).exit_code != 0
    assert cpi.list_disks(DEMO) == (made,)
    assert cpi.list_vms(DEMO)[0].disks == ()


def test_a_disk_is_on_one_machine_at_a_time(cpi: LocalCpi) -> None:
    made = disk(cpi)
    cpi.create_vm(request("etcd/0", disks=(made.id,)))
    other = cpi.create_vm(request("etcd/1"))
    with pytest.raises(Conflict, match="is attached to etcd/0; detach it there first"):
        cpi.attach_disk(other.id, made.id)
    with pytest.raises(Conflict, match="is attached to etcd/0"):
        cpi.create_vm(request("etcd/2", disks=(made.id,)))
    assert [vm.instance for vm in cpi.list_vms(DEMO)] == ["etcd/0", "etcd/1"]


def test_a_disk_in_use_is_not_deleted_and_one_that_is_gone_is_no_trouble(cpi: LocalCpi) -> None:
    made = disk(cpi)
    vm = cpi.create_vm(request("etcd/0", disks=(made.id,)))
    with pytest.raises(Conflict, match="is attached to tests/demo/etcd-0/"):
        cpi.delete_disk(made.id)
    cpi.delete_vm(vm.id)
    cpi.delete_disk(made.id)
    cpi.delete_disk(made.id)
    assert cpi.list_disks(DEMO) == ()


def test_a_disk_larger_than_the_room_there_is_is_refused(cpi: LocalCpi) -> None:
    with pytest.raises(QuotaExceeded, match="does not fit into"):
        disk(cpi, size_mb=1 << 40)
    assert cpi.list_disks(DEMO) == ()


def test_a_disk_that_is_not_there_cannot_be_attached(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request("etcd/0"))
    with pytest.raises(NotFound, match="there is no disk tests/demo/etcd-0/01234567"):
        cpi.attach_disk(vm.id, "tests/demo/etcd-0/01234567")
    assert cpi.list_vms(DEMO) == (vm,)
