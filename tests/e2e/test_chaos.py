"""Chaos: a real cluster with its monitor running, broken in every way at hand.  After each it must be whole again.

Whole: no problems, an empty plan, no orphan, the workload answers, and every write the API acknowledged is there.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubo_sdk_local import faults, syscalls

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk.probe import probe

from .site import Site

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
WORKLOAD = Path(__file__).with_name("workload.yml")
EVERYBODY = ("etcd/0", "etcd/1", "etcd/2", "master/0", "master/1", "worker/0", "worker/1", "worker/2", "proxy/0")
# By the order of the groups' zones: the first instance of every group, the only proxy among them.
ZONE_1 = ("etcd/0", "master/0", "worker/0", "proxy/0")


def _drill_module() -> Any:
    """benchmarks/drill.py, which is a program's file and not a package's."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec = importlib.util.spec_from_file_location("drill", ROOT / "benchmarks/drill.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@contextmanager
def inside(site: Site) -> Iterator[None]:
    """This thread, and what it starts, in the network of the site."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f"/run/netns/{site.netns}", os.O_RDONLY | os.O_CLOEXEC)
    syscalls.setns(there, syscalls.CLONE_NEWNET)
    try:
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(there)
        os.close(before)


class Arena:
    """The cluster under fire."""

    def __init__(self, site: Site, spec: Path, drill: Any) -> None:
        self.site = site
        self.spec = spec
        self.drill = drill

    def leader(self) -> str:
        """The instance whose etcd member leads."""
        members = probe(self.drill.cluster.spec, self.drill.cluster.providers, SystemClock()).members or ()
        return next(member.name.replace("-", "/") for member in members if member.leader)

    def heals(self, what: str, act: Any, *concerned: str) -> dict[str, Any]:
        told = self.drill.break_and_heal(what, act, concerned)
        self.is_whole()
        return dict(told)

    def await_health(self) -> None:
        wait_until(self._is_well, what="all being well", timeout=120)

    def is_whole(self) -> None:
        cluster = self.drill.cluster
        # The monitor may still be labelling a Node that is Ready already.
        wait_until(self._nothing_to_do, what="the end of the repair", timeout=60)
        self.await_health()
        # On a busy host a machine may be slow to answer one look.
        wait_until(lambda: cluster.check() == () or None, what="no problem being told", timeout=60)
        assert sorted(vm.instance for vm in self.drill.vms()) == sorted(EVERYBODY)
        assert len(self.drill.cpi.list_disks(cluster.spec.id)) == 3
        report = probe(cluster.spec, cluster.providers, SystemClock())
        assert sorted(member.name for member in report.members or ()) == ["etcd-0", "etcd-1", "etcd-2"]
        assert sorted(node.instance for node in report.nodes or ()) == ["worker-0", "worker-1", "worker-2"]
        self.workload_answers()
        assert self.drill.writer.lost() == set()

    def _is_well(self) -> bool:
        status = self.drill.cluster.status()
        if not status.healthy:
            raise Unavailable(status.verdict)
        return True

    def _nothing_to_do(self) -> bool:
        plan = self.drill.cluster.plan()
        if not plan.is_empty:
            raise Unavailable(str(plan))
        return True

    def workload_answers(self) -> None:
        """Three pods, one on each worker, reached through the proxy."""
        (proxy,) = self.drill.vms("proxy/0")
        seen: set[bytes] = set()

        def answered() -> bool | None:
            try:
                with urllib.request.urlopen(f"http://{proxy.address}:30080/", timeout=1) as reply:
                    seen.add(reply.read())
            except OSError as error:
                raise Unavailable(str(error)) from None
            return True if len(seen) >= 3 else None

        wait_until(answered, what="three pods answering through the proxy", timeout=120, interval=0.05)


@pytest.fixture(scope="module")
def arena(shared_site: Site) -> Iterator[Arena]:
    spec = shared_site.spec("chaos")
    shared_site.kubo(spec, "up")
    shared_site.kubectl(spec, "apply", "-f", str(WORKLOAD))
    with inside(shared_site), _drill_module().Drill(spec, shared_site.state, CACHE) as drill:
        arena = Arena(shared_site, spec, drill)
        arena.is_whole()
        yield arena


@pytest.mark.parametrize("instance", ["worker/1", "master/0", "proxy/0"])
def test_a_machine_whose_init_was_killed_is_started_again(arena: Arena, instance: str) -> None:
    arena.heals("power", lambda: arena.drill.power_off(instance), instance)


def test_the_machine_of_the_etcd_leader_may_lose_its_power(arena: Arena) -> None:
    leader = arena.leader()
    told = arena.heals("power", lambda: arena.drill.power_off(leader), leader)
    assert told["writes"]["answered"] > 0


@pytest.mark.parametrize("instance", ["worker/2", "master/1", "etcd/1", "proxy/0"])
def test_a_machine_that_is_gone_is_replaced(arena: Arena, instance: str) -> None:
    told = arena.heals("lost", lambda: arena.drill.lose_machines(instance), instance)
    assert f"create vm {instance}" in told["steps"]


def test_an_etcd_member_that_lost_its_disk_joins_anew(arena: Arena) -> None:
    told = arena.heals("lost disk", lambda: arena.drill.lose_disk("etcd/2"), "etcd/2")
    assert "create disk etcd/2" in told["steps"]


@pytest.mark.parametrize(
    ("instance", "units"),
    [
        ("etcd/0", ("etcd", "kubo-flannel-gate")),
        ("master/0", ("kube-apiserver", "kube-controller-manager", "kube-scheduler")),
        ("worker/0", ("kubelet", "kube-proxy", "containerd", "kubo-flannel")),
        ("proxy/0", ("kubo-haproxy",)),
    ],
)
def test_a_component_that_was_killed_is_back(arena: Arena, instance: str, units: tuple[str, ...]) -> None:
    """systemd restarts it; the director has nothing to do, and does nothing."""
    began = len(arena.drill.events)
    for unit in units:
        arena.drill.systemctl(instance, "kill", "--signal=KILL", unit)
    arena.await_health()
    arena.is_whole()
    replaced = [event for event in arena.drill.events[began:] if event.get("step") == f"create vm {instance}"]
    assert replaced == []


def test_a_stopped_kubelet_and_containerd_are_started_while_an_etcd_member_is_down_too(arena: Arena) -> None:
    leader = arena.leader()

    def act() -> None:
        arena.drill.power_off(leader)
        arena.drill.systemctl("worker/0", "stop", "kubelet", "containerd")

    arena.heals("stopped", act, "worker/0")


def test_an_api_server_that_hangs_is_restarted(arena: Arena) -> None:
    hang = ("kill", "--signal=STOP", "kube-apiserver")
    arena.heals("hung", lambda: arena.drill.systemctl("master/0", *hang), "master/0")


@pytest.mark.parametrize("instance", ["worker/1", "etcd/0", "master/1", "proxy/0"])
def test_a_machine_that_is_cut_off_comes_back(arena: Arena, instance: str) -> None:
    arena.heals("cut off", lambda: arena.drill.cut_off(instance), instance)


def test_a_machine_that_is_frozen_comes_back(arena: Arena) -> None:
    arena.heals("frozen", lambda: arena.drill.freeze("worker/2"), "worker/2")


def test_a_lost_zone_comes_back(arena: Arena) -> None:
    arena.heals("zone", lambda: arena.drill.lose_machines(*ZONE_1), *ZONE_1)


def test_all_machines_may_lose_their_power_at_once(arena: Arena) -> None:
    arena.heals("power cut", lambda: arena.drill.power_off(*EVERYBODY), *EVERYBODY)


@pytest.mark.parametrize(
    ("instance", "step"),
    [
        ("worker/0", "create vm worker/0"),
        ("worker/1", "configure worker/1"),
        ("worker/2", "await worker/2"),
        ("master/1", "create vm master/1"),
        ("etcd/1", "configure etcd/1"),
        ("proxy/0", "configure proxy/0"),
    ],
)
def test_a_director_killed_in_the_middle_of_a_repair_goes_on_where_it_was(
    arena: Arena, instance: str, step: str
) -> None:
    drill = arena.drill
    began = len(drill.events)

    def act() -> None:
        drill.lose_machines(instance)
        wait_until(
            lambda: any(event.get("step") == step for event in drill.events[began:]) or None,
            what=f"the step {step}",
            timeout=60,
            interval=0.01,
        )
        drill.kill_monitor()
        drill.start_monitor()

    arena.heals("killed director", act, instance)


def test_a_full_disk_is_named_and_nothing_is_destroyed(arena: Arena) -> None:
    """The member with the full disk is down; the others serve; once there is room again, it is back by itself."""
    drill = arena.drill
    disk = next(disk for disk in drill.cpi.list_disks(drill.cluster.spec.id) if disk.instance == "etcd/2")
    before = disk.id
    with small_disk(arena, "etcd/2") as directory:
        filler = directory / "filler"

        def fill() -> None:
            with filler.open("wb") as file:
                try:
                    while True:
                        file.write(b"\0" * 65536)
                        file.flush()
                except OSError:
                    return

        fill()
        wait_until(
            lambda: any(problem.type == "full_disk" for problem in drill.cluster.check()) or None,
            what="the full disk being told",
            timeout=60,
        )
        filler.unlink()
        arena.await_health()
    arena.is_whole()
    assert before in [disk.id for disk in drill.cpi.list_disks(drill.cluster.spec.id)]


@contextmanager
def small_disk(arena: Arena, instance: str) -> Iterator[Path]:
    """The instance's disk as a file system of 768 MiB, with the content it has, while the block runs."""
    drill = arena.drill
    disk = next(disk for disk in drill.cpi.list_disks(drill.cluster.spec.id) if disk.instance == instance)
    directory = faults.disk_directory(drill.cpi, disk.id)
    _halt(arena, instance)
    arena.site.run(["sh", "-c", _INTO_MEMORY, "sh", str(directory)])
    try:
        _resume(arena, instance)
        yield directory
        _halt(arena, instance)
    finally:
        arena.site.run(["sh", "-c", _BACK, "sh", str(directory)])
    _resume(arena, instance)


_INTO_MEMORY = """
set -e
cp -a --sparse=never "$1" "$1.before"
mount -t tmpfs -o size=768m tmpfs "$1"
cp -a --sparse=never "$1.before/." "$1/"
diff -r "$1.before" "$1"
rm -rf "$1.before"
"""
_BACK = """
set -e
cp -a --sparse=never "$1" "$1.after"
diff -r "$1" "$1.after"
umount "$1"
rm -rf "$1"
mv "$1.after" "$1"
"""


def _halt(arena: Arena, instance: str) -> None:
    """Nobody writes to its disk any more, and nobody starts it."""
    arena.site.kubo(arena.spec, "pause")
    arena.drill.systemctl(instance, "stop", "etcd")
    arena.drill.power_off(instance)


def _resume(arena: Arena, instance: str) -> None:
    (vm,) = arena.drill.vms(instance)
    arena.drill.cpi.reboot_vm(vm.id)
    arena.site.kubo(arena.spec, "resume")
    arena.await_health()
