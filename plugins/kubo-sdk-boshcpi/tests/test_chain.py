"""Both directions against each other: the provider `bosh` over ``kubo-cpi`` over `local`, on real machines."""

from __future__ import annotations

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.ports.cpi import DiskCpi, Vm, VmState

from .conftest import DEMO, Chain, disk_request, vm_request

FILE = "/var/lib/kubo/disk/file"


# What BOSH does not say about a disk that is made before its machine.
BOSH_ALONE = {
    "extensions": False,
    "stemcell": "kubo",
    "disk_properties": {"director": "tests", "cluster": "demo"},
}


def enter(cpi: DiskCpi, vm: Vm) -> None:
    def answered() -> bool | None:
        return cpi.open_shell(vm).run(["true"]).exit_code == 0 or None

    wait_until(answered, what="the machine", timeout=60)


def test_through_the_extension_nothing_of_the_port_is_lost(chain: Chain) -> None:
    cpi = chain.connect()
    assert (cpi.info().disks, cpi.info().zones, cpi.info().shares_trees) == (True, True, True)
    cpi.prepare(DEMO)
    disk = cpi.create_disk(disk_request("worker/0"))
    vm = cpi.create_vm(vm_request(az="z2", disks=(disk.id,), tags=(("role", "worker"),)))
    assert (vm.instance, vm.token, vm.az, vm.state) == ("worker/0", "worker-0", "z2", VmState.RUNNING)
    assert (vm.address, vm.disks, vm.tags) == ("10.77.0.2", (disk.id,), (("role", "worker"),))
    enter(cpi, vm)
    assert cpi.open_shell(vm).run(["sh", "-c", f"cat > {FILE}; echo 'a  b'"], stdin=b"kept").stdout == b"a  b\n"
    cpi.delete_vm(vm.id)
    assert cpi.list_vms(DEMO) == ()
    (left,) = cpi.list_disks(DEMO)
    assert left == disk
    cpi.delete_disk(disk.id)
    cpi.dispose(DEMO)


def test_with_bosh_alone_the_ledger_finds_machines_and_disks(chain: Chain) -> None:
    cpi = chain.connect(**BOSH_ALONE)
    cpi.prepare(DEMO)
    disk = cpi.create_disk(disk_request("worker/0"))
    vm = cpi.create_vm(vm_request(disks=(disk.id,)))
    assert cpi.create_vm(vm_request(disks=(disk.id,))) == vm
    enter(cpi, vm)
    assert cpi.open_shell(vm).run(["sh", "-c", f"cat > {FILE}"], stdin=b"kept").exit_code == 0
    cpi.reboot_vm(vm.id)
    enter(cpi, vm)
    assert cpi.open_shell(vm).run(["cat", FILE]).stdout == b"kept"
    assert [each.attached_to for each in cpi.list_disks(DEMO)] == [vm.id]
    cpi.detach_disk(vm.id, disk.id)
    assert cpi.open_shell(vm).run(["mountpoint", "-q", "/var/lib/kubo/disk"]).exit_code != 0
    assert chain.connect(**BOSH_ALONE).list_vms(DEMO)[0].id == vm.id
    cpi.delete_vm(vm.id)
    cpi.delete_disk(disk.id)
    assert (cpi.list_vms(DEMO), cpi.list_disks(DEMO)) == ((), ())
    cpi.dispose(DEMO)
