"""Control groups on all three kinds of hosts.  This host is of one kind; the others are made by mounting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk_local import cgroups
from kubo_sdk_local.cpi import LocalCpi

from .conftest import CACHE, DEMO

HYBRID = """\
tmpfs /sys/fs/cgroup tmpfs ro,nosuid 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,nosuid,relatime,xattr,release_agent=/agent,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,relatime,cpu,cpuacct 0 0
cgroup /elsewhere/cpu,cpuacct cgroup rw,nosuid,relatime,cpu,cpuacct 0 0
"""
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n"


def test_the_kind_of_host_is_seen_from_its_mounts(tmp_path: Path) -> None:
    (tmp_path / "hybrid").write_text(HYBRID)
    (tmp_path / "unified").write_text(UNIFIED)
    hybrid = cgroups.hierarchies(str(tmp_path / "hybrid"))
    assert hybrid == (
        ("/sys/fs/cgroup/unified", ""),
        ("/sys/fs/cgroup/systemd", "name=systemd"),
        ("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"),
    )
    unified = cgroups.hierarchies(str(tmp_path / "unified"))
    assert unified == (("/sys/fs/cgroup", ""),)
    assert (cgroups.version(hybrid), cgroups.version(unified)) == ("v1", "v2")


def test_limits_are_written_in_the_words_of_each_version(tmp_path: Path) -> None:
    """On plain directories: a host has the controllers of one version only."""
    for level in ("v2", "v2/kubo", "v2/kubo/c", "v2/kubo/c/m"):
        (tmp_path / level).mkdir()
        (tmp_path / level / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma\n")
        (tmp_path / level / "cgroup.subtree_control").write_text("")
    cgroups.create(((str(tmp_path / "v2"), ""),), "kubo/c/m", cpus=2, memory_mb=512)
    machine = tmp_path / "v2/kubo/c/m"
    assert (machine / "cpu.max").read_text() == "200000 100000"
    assert (machine / "memory.max").read_text() == str(512 << 20)
    assert all((machine / leaf).is_dir() for leaf in ("machine", "shell"))


@pytest.mark.skipif(cgroups.version(cgroups.hierarchies()) == "v2", reason="every test here runs on version 2 already")
def test_a_machine_runs_where_version_two_is_all_there_is(cpi: LocalCpi) -> None:
    """In a mount namespace that shows the unified hierarchy alone."""
    program = f"""
import subprocess, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_local import cgroups, syscalls
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.stemcell import Stemcell

syscalls.unshare(syscalls.CLONE_NEWNS)
syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
subprocess.run(["umount", "-R", "/sys/fs/cgroup"], check=True)
syscalls.mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
config = LocalConfig(root=Path({str(cpi.layout.root)!r}), cache=Path({str(CACHE)!r}))
cpi = LocalCpi(config, Layout(config.root), Stemcell.of(config))
instance = Instance(group="worker", index=0, role=Role.WORKER, az="z1")
vm = cpi.create_vm(VmRequest(cluster=ClusterId(director="tests", name="demo"), instance=instance, token="two"))
shell = cpi.open_shell(vm)
running = ["systemctl", "is-system-running", "--wait"]
wait_until(lambda: shell.run(running).exit_code == 0 or None, what="the boot", timeout=30, interval=0.05)
print(shell.run(["stat", "-fc", "%T", "/sys/fs/cgroup"]).stdout.decode().strip())
print(shell.run(["grep", "CGROUP", "/etc/kubo/machine.env"]).stdout.decode().strip())
print(shell.run(["systemd-run", "--wait", "-q", "-p", "Delegate=yes", "true"]).exit_code)
print(shell.run(["cat", "/proc/self/cgroup"]).stdout.decode().splitlines()[-1])
assert cgroups.cpu_seconds(cgroups.hierarchies(), cpi.layout.cgroup(vm.cluster, "worker-0")) > 0
cpi.delete_vm(vm.id)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.split()) == ("", ["cgroup2fs", "KUBO_CGROUP=v2", "0", "0::/../shell"])
    assert cpi.list_vms(DEMO) == ()
