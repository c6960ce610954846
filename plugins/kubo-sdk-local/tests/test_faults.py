"""What is broken on purpose is broken, and can be mended."""

from __future__ import annotations

import pytest

from kubo_sdk.errors import Unavailable
from kubo_sdk.ports.cpi import DiskRequest, VmState
from kubo_sdk_local import faults

from .conftest import DEMO, boot, instance, out, request


def state(cpi, vm) -> VmState:
    return next(found.state for found in cpi.list_vms(DEMO) if found.id == vm.id)


def test_a_machine_without_power_is_stopped_and_starts_again(cpi) -> None:
    vm = cpi.create_vm(request())
    faults.power_off(cpi, vm)
    assert state(cpi, vm) is VmState.STOPPED
    cpi.reboot_vm(vm.id)
    assert state(cpi, vm) is VmState.RUNNING


def test_a_machine_that_is_cut_off_runs_but_is_not_reached_until_it_is_reconnected_or_rebooted(cpi) -> None:
    far = cpi.create_vm(request())
    boot(cpi, far)
    route = ("sh", "-c", "ip -o link show eth0 | grep -c LOWER_UP")
    assert out(cpi, far, *route).startswith("1")
    faults.cut_off(cpi, far)
    assert cpi.open_shell(far).run(["sh", "-c", "ip -o link show eth0 | grep -q LOWER_UP"]).exit_code == 1
    assert state(cpi, far) is VmState.RUNNING
    faults.reconnect(cpi, far)
    assert out(cpi, far, *route).startswith("1")
    faults.cut_off(cpi, far)
    cpi.reboot_vm(far.id)
    assert out(cpi, far, *route).startswith("1")


def test_a_frozen_machine_does_not_answer_until_it_is_thawed(cpi) -> None:
    vm = cpi.create_vm(request())
    boot(cpi, vm)
    faults.freeze(cpi, vm)
    with pytest.raises(Unavailable):
        cpi.open_shell(vm).run(["systemctl", "is-system-running"], timeout=0.5)
    faults.thaw(cpi, vm)
    assert out(cpi, vm, "systemctl", "is-system-running") == "running"


def test_the_content_of_a_disk_can_be_looked_at_from_the_host(cpi) -> None:
    disk = cpi.create_disk(DiskRequest(cluster=DEMO, instance=instance(), token="disk", size_mb=16))
    vm = cpi.create_vm(request(disks=(disk.id,)))
    out(cpi, vm, "touch", "/var/lib/kubo/disk/mine")
    assert [path.name for path in faults.disk_directory(cpi, disk.id).iterdir()] == ["mine"]
