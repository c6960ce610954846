"""Machines: made, found, rebooted, removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, HostError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import SharedTree, VmState
from kubo_sdk_local import cgroups
from kubo_sdk_local.cpi import LocalCpi

from .conftest import DEMO, SECOND_SUBNET, boot, instance, out, request

NINE = [f"etcd/{n}" for n in range(3)] + [f"master/{n}" for n in range(2)] + [f"worker/{n}" for n in range(3)]
NINE.append("proxy/0")


def test_a_machine_boots_without_a_failed_unit_and_is_itself(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request(tags=(("role", "worker"),)))
    assert (vm.state, vm.instance, vm.az, vm.address) == (VmState.RUNNING, "worker/0", "z1", "10.77.0.2")
    assert vm.tags == (("role", "worker"),)
    boot(cpi, vm)
    assert out(cpi, vm, "systemctl", "is-system-running") == "running"
    assert out(cpi, vm, "hostname") == "worker-0"
    assert "10.77.0.2/24" in out(cpi, vm, "ip", "-br", "addr", "show", "eth0")
    assert out(cpi, vm, "id", "-gn", "kube") == "kube"
    assert out(cpi, vm, "cat", "/proc/sys/net/ipv4/ip_forward") == "1"
    assert out(cpi, vm, "pwd") == "/"
    assert out(cpi, vm, "findmnt", "-no", "PROPAGATION", "/var/lib/kubelet") == "shared"
    assert cpi.list_vms(DEMO) == (vm,)


def test_creating_with_the_same_token_returns_the_machine_there_is(cpi: LocalCpi) -> None:
    first = cpi.create_vm(request())
    started = out(cpi, first, "stat", "-c", "%Y", "/proc/1")
    assert cpi.create_vm(request()) == first
    assert out(cpi, first, "stat", "-c", "%Y", "/proc/1") == started


def test_a_slot_that_is_filled_refuses_another_token(cpi: LocalCpi) -> None:
    cpi.create_vm(request())
    with pytest.raises(Conflict, match="worker/0 of cluster tests/demo has another machine already"):
        cpi.create_vm(request(token="another"))


def test_nine_machines_made_at_once_get_nine_addresses_and_reach_each_other(cpi: LocalCpi) -> None:
    with ThreadPoolExecutor(9) as pool:
        vms = list(pool.map(lambda name: cpi.create_vm(request(name)), NINE))
        assert sorted(int(vm.address.rpartition(".")[2]) for vm in vms) == list(range(2, 11))
        list(pool.map(lambda vm: boot(cpi, vm), vms))
        identities = list(pool.map(lambda vm: out(cpi, vm, "cat", "/etc/machine-id"), vms))
        assert len(set(identities)) == 9
        others = [vm.address for vm in vms[1:]]
        list(pool.map(lambda address: out(cpi, vms[0], "ping", "-c1", "-W2", address), others))
        list(pool.map(lambda vm: cpi.delete_vm(vm.id), vms))
    assert cpi.list_vms(DEMO) == ()


def test_a_reboot_keeps_files_and_address_and_starts_a_new_systemd(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    out(cpi, vm, "sh", "-c", "echo kept > /etc/mine; echo worker-zero > /etc/hostname; echo gone > /run/mine")
    cpi.reboot_vm(vm.id)
    (after,) = cpi.list_vms(DEMO)
    assert after == vm
    boot(cpi, vm)
    assert out(cpi, vm, "cat", "/etc/mine", "/etc/hostname") == "kept\nworker-zero"
    assert cpi.open_shell(vm).run(["test", "-e", "/run/mine"]).exit_code == 1


def test_a_machine_that_powered_itself_off_is_stopped_and_creating_it_starts_it_again(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    boot(cpi, vm)
    out(cpi, vm, "touch", "/etc/mine")
    cpi.open_shell(vm).run(["systemctl", "poweroff", "--force", "--force"])
    wait_until(lambda: cpi.list_vms(DEMO)[0].state is VmState.STOPPED or None, what="the power-off", timeout=20)
    again = cpi.create_vm(request())
    assert (again.id, again.state) == (vm.id, VmState.RUNNING)
    out(cpi, again, "test", "-e", "/etc/mine")


def test_an_instance_gets_its_address_back_and_a_new_one_does_not_take_it(cpi: LocalCpi) -> None:
    first = cpi.create_vm(request("worker/0"))
    second = cpi.create_vm(request("worker/1"))
    cpi.delete_vm(first.id)
    third = cpi.create_vm(request("worker/2"))
    again = cpi.create_vm(request("worker/0"))
    assert [vm.address for vm in (first, second, third, again)] == ["10.77.0.2", "10.77.0.3", "10.77.0.4", "10.77.0.2"]


def test_deleting_an_old_machine_does_not_touch_its_successor(cpi: LocalCpi) -> None:
    old = cpi.create_vm(request())
    cpi.delete_vm(old.id)
    new = cpi.create_vm(request())
    assert new.id != old.id
    cpi.delete_vm(old.id)
    cpi.delete_vm("tests/demo/worker-7/01234567")
    cpi.delete_vm("no id of ours")
    assert [vm.state for vm in cpi.list_vms(DEMO)] == [VmState.RUNNING]


def test_two_clusters_beside_each_other_see_their_own_machines_only(make_cpi: Callable[..., LocalCpi]) -> None:
    other = ClusterId(director="tests", name="other")
    one, two = make_cpi(), make_cpi(subnet=SECOND_SUBNET)
    one.prepare(DEMO)
    two.prepare(other)
    first, second = one.create_vm(request()), two.create_vm(request(cluster=other))
    assert (one.list_vms(DEMO), two.list_vms(other)) == ((first,), (second,))
    one.delete_vm(first.id)
    one.dispose(DEMO)
    assert two.list_vms(other) == (second,)
    assert out(two, second, "hostname") == "worker-0"


def test_a_machine_cannot_use_more_memory_and_processors_than_its_size(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request(size=VmSize(cpus=1, memory_mb=200)))
    boot(cpi, vm)
    eater = "import sys; data = bytearray(int(sys.argv[1]) << 20); print(len(data) >> 20)"
    assert out(cpi, vm, "python3", "-c", eater, "50") == "50"
    assert cpi.open_shell(vm).run(["python3", "-c", eater, "400"]).exit_code != 0
    inside = cpi.open_shell(vm).run(["systemd-run", "--wait", "-q", "python3", "-c", eater, "400"])
    assert inside.exit_code != 0
    found = {controllers: top for top, controllers in cgroups.hierarchies()}
    if "cpu" in found:
        quota = Path(found["cpu"], cpi.layout.cgroup(DEMO, "worker-0"), "cpu.cfs_quota_us").read_text()
        assert int(quota) == 100_000


def test_shared_trees_are_seen_and_cannot_be_written(cpi: LocalCpi, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "kubelet").write_text("binary")
    tree = SharedTree(source=tmp_path / "tree", target=PurePosixPath("/opt/kubo/releases"))
    vm = cpi.create_vm(request(trees=(tree,)))
    assert out(cpi, vm, "cat", "/opt/kubo/releases/kubelet") == "binary"
    refused = cpi.open_shell(vm).run(["touch", "/opt/kubo/releases/more"])
    assert b"Read-only file system" in refused.stderr


def test_a_machine_that_cannot_start_leaves_nothing(cpi: LocalCpi, tmp_path: Path) -> None:
    absent = SharedTree(source=tmp_path / "absent", target=PurePosixPath("/opt/kubo/releases"))
    with pytest.raises(HostError, match="absent, which is not a directory"):
        cpi.create_vm(request(trees=(absent,)))
    assert cpi.list_vms(DEMO) == ()


def test_the_kernel_settings_of_the_host_are_out_of_a_machines_reach(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    names = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")
    before = [Path("/proc/sys", name).read_text() for name in names]
    for name in names:
        out(cpi, vm, "sh", "-c", f"echo 7 > /proc/sys/{name}")
    assert [Path("/proc/sys", name).read_text() for name in names] == before
    for file in ("/proc/sys/kernel/pid_max", "/proc/sys/fs/nr_open"):
        assert b"Read-only" in cpi.open_shell(vm).run(["sh", "-c", f"echo 0 > {file}"]).stderr


def test_a_machine_is_told_what_this_host_cannot_do(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    facts = dict(line.split("=") for line in out(cpi, vm, "cat", "/etc/kubo/machine.env").splitlines())
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    may_lower = int(effective.split()[1], 16) >> 24 & 1
    assert facts == {
        "KUBO_LOCAL": "1",
        "KUBO_CGROUP": cgroups.version(cgroups.hierarchies()),
        "KUBO_RESTRICT_OOM": "0" if may_lower else "1",
    }


def test_a_process_id_that_was_given_out_again_is_not_taken_for_a_machine(cpi: LocalCpi) -> None:
    vm = cpi.create_vm(request())
    init = cpi.layout.machine(DEMO, "worker-0") / "init"
    pid, start, boot_id = init.read_text().split()
    for stale in (f"{os.getpid()} {start} {boot_id}", f"{pid} {start} 00000000-0000-0000-0000-000000000000"):
        alive = init.read_text()
        init.write_text(stale)
        assert [vm.state for vm in cpi.list_vms(DEMO)] == [VmState.STOPPED]
        init.write_text(alive)
    assert cpi.list_vms(DEMO) == (vm,)


def test_zones_are_labels(cpi: LocalCpi) -> None:
    zoned = request()
    vm = cpi.create_vm(type(zoned)(cluster=DEMO, instance=instance(az="z2"), token="zoned"))
    assert vm.az == "z2"
    assert cpi.info().zones
