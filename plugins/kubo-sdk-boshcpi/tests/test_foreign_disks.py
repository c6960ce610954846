"""Persistent disks of a foreign CPI: the hint, the mounting, and what the CPI cannot do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubo_sdk.disk_mounting import MOUNT_POINT
from kubo_sdk.errors import ConfigError, Conflict, ProviderError
from kubo_sdk.ports.cpi import DiskCpi
from kubo_sdk_boshcpi.disk_hints import device_patterns

from .conftest import DEMO, Foreign, disk_request, vm_request


@pytest.mark.parametrize(
    ("hint", "patterns"),
    [
        ("/dev/sdf", ("/dev/sdf", "/dev/xvdf", "/dev/vdf")),
        ({"path": "/dev/nvme1n1"}, ("/dev/nvme1n1",)),
        ({"id": "0123456789abcdef0123456789"}, ("/dev/disk/by-id/*0123456789abcdef0123*",)),
        ({"volume_id": "3"}, ("/dev/disk/by-path/*scsi-?:0:3:0",)),
        (
            {"lun": "0", "host_device_id": "{f8b3}"},
            ("/dev/disk/azure/scsi1/lun0", "/dev/disk/azure/data/by-lun/0"),
        ),
        (None, ("/dev/sdb",)),
        (MOUNT_POINT, ()),
    ],
)
def test_each_kind_of_hint_names_a_device(hint: Any, patterns: tuple[str, ...]) -> None:
    assert device_patterns(hint, "/dev/sdb") == patterns


@pytest.mark.parametrize("hint", [None, "", {}, {"other": 1}, 3])
def test_without_a_hint_the_option_is_asked_for(hint: Any) -> None:
    with pytest.raises(ConfigError, match="disk_device: the CPI does not say where a disk appears"):
        device_patterns(hint, "")


def test_a_disk_is_attached_and_mounted_when_its_machine_can_be_entered(foreign: Foreign, prepared: DiskCpi) -> None:
    disk = prepared.create_disk(disk_request("worker/0", size_mb=100))
    assert foreign.requests("create_disk")[0]["arguments"] == [100, {}, None]
    assert foreign.has("disks")[disk.id]["metadata"]["instance_id"] == "worker/0"
    (foreign.root / "unreachable").touch()
    vm = prepared.create_vm(vm_request(disks=(disk.id,)))
    assert vm.disks == (disk.id,)
    assert foreign.requests("create_vm")[0]["arguments"][4] == [disk.id]
    (command,) = foreign.commands()
    assert command[0] == vm.id
    assert command[-4:] == [MOUNT_POINT, "/dev/sdf", "/dev/xvdf", "/dev/vdf"]
    prepared.detach_disk(vm.id, disk.id)
    assert "umount" in foreign.commands()[1][3]
    assert foreign.has("vms")[vm.id]["disks"] == []


def test_an_attachment_that_was_interrupted_is_made_again(foreign: Foreign, prepared: DiskCpi) -> None:
    disk, vm = prepared.create_disk(disk_request("worker/0")), prepared.create_vm(vm_request())
    foreign.next("attach_disk", "lost")
    with pytest.raises(ProviderError, match="attach_disk is not JSON"):
        prepared.attach_disk(vm.id, disk.id)
    assert foreign.has("vms")[vm.id]["disks"] == [disk.id]
    assert prepared.list_vms(DEMO)[0].disks == (disk.id,)
    with pytest.raises(Conflict):
        prepared.delete_disk(disk.id)
    prepared.attach_disk(vm.id, disk.id)
    assert len(foreign.commands()) == 1
    assert len(foreign.requests("detach_disk")) == 1


def test_a_machine_whose_disk_cannot_be_attached_is_not_left(foreign: Foreign, prepared: DiskCpi) -> None:
    disk = prepared.create_disk(disk_request("worker/0"))
    foreign.next("attach_disk", "broken")
    with pytest.raises(ProviderError, match="attach_disk of the BOSH CPI failed"):
        prepared.create_vm(vm_request(disks=(disk.id,)))
    assert foreign.has("vms") == {}
    assert prepared.list_disks(DEMO) == (disk,)


def test_a_cpi_without_the_optional_methods_works_from_the_ledger_alone(foreign: Foreign) -> None:
    foreign.configure(unimplemented=["has_disk", "has_vm", "get_disks", "set_disk_metadata", "set_vm_metadata"])
    cpi = foreign.connect()
    cpi.prepare(DEMO)
    disk = cpi.create_disk(disk_request("worker/0"))
    vm = cpi.create_vm(vm_request(disks=(disk.id,)))
    assert [each.attached_to for each in cpi.list_disks(DEMO)] == [vm.id]
    cpi.detach_disk(vm.id, disk.id)
    cpi.delete_vm(vm.id)
    cpi.delete_disk(disk.id)
    assert (cpi.list_vms(DEMO), cpi.list_disks(DEMO)) == ((), ())
    cpi.dispose(DEMO)


def test_a_disk_whose_machine_vanished_can_go_to_another(foreign: Foreign, prepared: DiskCpi) -> None:
    disk = prepared.create_disk(disk_request("worker/0"))
    old = prepared.create_vm(vm_request("worker/0", disks=(disk.id,)))
    (foreign.root / "vms" / f"{old.id}.json").unlink()
    content = foreign.has("disks")[disk.id]
    (foreign.root / "disks" / f"{disk.id}.json").write_text(json.dumps({**content, "vm": None}))
    new = prepared.create_vm(vm_request("worker/1", disks=(disk.id,)))
    assert [each.attached_to for each in prepared.list_disks(DEMO)] == [new.id]
