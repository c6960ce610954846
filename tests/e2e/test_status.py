"""The status of a real cluster while parts of it are stopped, hung or gone: right, and never late."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubo_sdk_local import processes
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.machines import init_file

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.probe.judge import SETTLING_SECONDS as UNIT_SETTLING_SECONDS

from .site import Site

pytestmark = pytest.mark.e2e

SHAPE = (("etcd", 3), ("master", 2), ("worker", 1), ("proxy", 1))
# The promise is two seconds; a loaded host and the start of Python get the rest.
SECONDS = 8.0
SETTLING_SECONDS = 90.0
ID = ClusterId(director="kubo", name="watched")

Cluster = tuple[Site, Path]


@pytest.fixture(scope="module")
def cluster(shared_site: Site) -> Cluster:
    spec = shared_site.spec("watched", shape=SHAPE)
    shared_site.kubo(spec, "up")
    return shared_site, spec


def init_of(site: Site, instance: str) -> int:
    """The process id of a machine's init, as the host sees it."""
    machine = Layout(site.home / "local").machine(ID, instance.replace("/", "-"))
    found = processes.recorded(str(init_file(machine)))
    assert found is not None
    return processes.pid_of(found)


def status(cluster: Cluster) -> dict[str, Any]:
    """The status, in time."""
    site, spec = cluster
    started = time.monotonic()
    told = site.status(spec)
    assert time.monotonic() - started < SECONDS
    return told


def instance(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(each) for each in told["instances"] if each["instance"] == name)


def verdicts(told: dict[str, Any], name: str) -> dict[str, str]:
    return {source: said["verdict"] for source, said in instance(told, name)["sources"].items()}


def inside(cluster: Cluster, name: str, *command: str) -> subprocess.CompletedProcess[str]:
    site, spec = cluster
    return site.kubo(spec, "exec", name, "--", *command, check=False)


@contextmanager
def stopped_process(cluster: Cluster, name: str, process: str) -> Iterator[None]:
    """A daemon that is there, keeps its sockets open and answers nobody."""
    assert inside(cluster, name, "pkill", "-STOP", "-x", process).returncode == 0
    try:
        yield
    finally:
        inside(cluster, name, "pkill", "-CONT", "-x", process)
        await_health(cluster)


@contextmanager
def stopped_units(cluster: Cluster, unit: str, *names: str) -> Iterator[None]:
    for name in names:
        assert inside(cluster, name, "systemctl", "stop", unit).returncode == 0
    try:
        yield
    finally:
        for name in names:
            inside(cluster, name, "systemctl", "start", "--no-block", unit)
        await_health(cluster)


@contextmanager
def cut_off(cluster: Cluster, name: str) -> Iterator[None]:
    """A machine without its link, which can be entered all the same."""
    link = ("ip", "link", "set", Layout(cluster[0].home / "local").veth(ID, name.replace("/", "-")))
    site, _ = cluster
    site.run(site.command(*link, "down"))
    try:
        yield
    finally:
        site.run(site.command(*link, "up"))
        await_health(cluster)


def problems_of(cluster: Cluster, name: str) -> dict[str, Any]:
    """What `check` says of one instance, by type."""
    site, spec = cluster
    told = json.loads(site.kubo(spec, "check", "--json", check=False).stdout)
    return {problem["type"]: problem for problem in told["problems"] if problem["instance"] == name}


def await_age(cluster: Cluster, name: str, unit: str) -> None:
    """Wait until a unit is old enough for its silence to mean something."""
    since = f"systemctl show -P ActiveEnterTimestampMonotonic {unit}; cut -d' ' -f1 /proc/uptime"
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        entered, uptime = inside(cluster, name, "sh", "-c", since).stdout.split()
        if float(uptime) - float(entered) / 1e6 >= UNIT_SETTLING_SECONDS:
            return
        assert time.monotonic() < deadline, unit


def await_health(cluster: Cluster) -> None:
    await_verdict(cluster, "healthy: 7 instances")


def await_verdict(cluster: Cluster, wished: str) -> None:
    site, spec = cluster
    deadline = time.monotonic() + SETTLING_SECONDS
    while (told := site.status(spec))["verdict"] != wished:
        assert time.monotonic() < deadline, told["verdict"]


def test_every_source_speaks_of_the_roles_it_knows(cluster: Cluster) -> None:
    told = status(cluster)
    assert told["healthy"], told["verdict"]
    common = {"machine", "shell", "network", "units"}
    assert set(verdicts(told, "etcd/0")) == common | {"disk", "etcd"}
    assert set(verdicts(told, "master/0")) == common | {"api"}
    assert set(verdicts(told, "worker/0")) == common | {"node"}
    assert set(verdicts(told, "proxy/0")) == common
    assert told["etcd"] == {"members": 3, "healthy": 3, "quorum": 2}
    assert told["expires"]["days"] > 300


def test_a_hung_api_server_is_silent_while_its_machine_is_well(cluster: Cluster) -> None:
    with stopped_process(cluster, "master/0", "kube-apiserver"):
        told = status(cluster)
        well = {"machine": "good", "shell": "good", "network": "good", "units": "good"}
        assert verdicts(told, "master/0") == {**well, "api": "bad"}
        assert instance(told, "master/0")["facts"]["api"].startswith("silent: ")
        assert instance(told, "master/1")["healthy"]
        assert instance(told, "worker/0")["facts"]["node"] == "Ready"
        # Until the proxy has noticed as well, every other new connection ends at the hung one.
        await_verdict(cluster, "6 of 7 instances are healthy; unhealthy: master/0")


@pytest.mark.parametrize("name", ["worker/0", "etcd/2", "proxy/0"])
def test_a_machine_that_is_cut_off_says_so_itself_and_that_is_the_only_problem(cluster: Cluster, name: str) -> None:
    with cut_off(cluster, name):
        told = instance(status(cluster), name)["sources"]
        assert (told["shell"]["verdict"], told["network"]["verdict"]) == ("good", "bad")
        assert told["network"]["word"].startswith("cannot reach 10.97.0.")
        problems = problems_of(cluster, name)
        assert (list(problems), problems["cut_off_machine"]["default"]) == (["cut_off_machine"], "reboot")


@pytest.mark.parametrize("unit", ["kubelet", "kube-proxy", "containerd"])
def test_a_daemon_that_stands_still_beside_an_active_unit_is_told_by_its_silence(cluster: Cluster, unit: str) -> None:
    await_age(cluster, "worker/0", unit)
    with stopped_process(cluster, "worker/0", unit):
        told = instance(status(cluster), "worker/0")["sources"]["units"]
        assert (told["word"], told["details"]) == (f"{unit} does not answer", [f"{unit}.service"])
        assert problems_of(cluster, "worker/0")["failed_unit"]["default"] == "restart_units"


def test_a_stopped_etcd_member_is_named_by_its_unit_and_its_silence(cluster: Cluster) -> None:
    with stopped_units(cluster, "etcd.service", "etcd/1"):
        # It may have been the leader: until the other two have elected one, nobody serves.
        await_verdict(cluster, "6 of 7 instances are healthy; unhealthy: etcd/1")
        told = status(cluster)
        assert told["etcd"] == {"members": 3, "healthy": 2, "quorum": 2}
        sources = instance(told, "etcd/1")["sources"]
        assert (sources["units"]["verdict"], sources["units"]["details"]) == ("bad", ["etcd.service"])
        assert (sources["disk"]["verdict"], sources["etcd"]["verdict"]) == ("good", "bad")


def test_lost_quorum_is_named_before_anything_else(cluster: Cluster) -> None:
    with stopped_units(cluster, "etcd.service", "etcd/0", "etcd/2"):
        told = status(cluster)
        assert told["verdict"].startswith("etcd has lost its quorum: 0 of its 3 members serve and 2 must")
        assert (verdicts(told, "etcd/1")["units"], verdicts(told, "etcd/1")["etcd"]) == ("good", "bad")
        assert verdicts(told, "worker/0")["node"] == "unknown"


def test_a_machine_whose_init_hangs_does_not_hold_up_the_others(cluster: Cluster) -> None:
    site, _ = cluster
    init = init_of(site, "proxy/0")
    os.kill(init, signal.SIGSTOP)
    try:
        told = status(cluster)
        unknown = {"network": "unknown", "units": "unknown"}
        assert verdicts(told, "proxy/0") == {"machine": "good", "shell": "bad", **unknown}
        assert instance(told, "proxy/0")["facts"]["shell"].startswith("silent: ")
        assert told["verdict"] == "6 of 7 instances are healthy; unhealthy: proxy/0"
    finally:
        os.kill(init, signal.SIGCONT)
    await_health(cluster)


def test_a_daemon_that_keeps_crashing_is_not_mistaken_for_one_that_starts(cluster: Cluster) -> None:
    drop_in = "/run/systemd/system/kube-proxy.service.d/crash.conf"
    break_it = (
        f"mkdir -p $(dirname {drop_in}); printf '[Service]\\nExecStartPre=/bin/false\\nRestartSec=0\\n' >{drop_in};"
        "systemctl daemon-reload; systemctl --no-block restart kube-proxy"
    )
    inside(cluster, "worker/0", "sh", "-c", break_it)
    deadline = time.monotonic() + SECONDS
    while verdicts(told := status(cluster), "worker/0")["units"] != "bad":
        assert time.monotonic() < deadline, instance(told, "worker/0")
    said = instance(told, "worker/0")["sources"]["units"]
    assert said["details"] == ["kube-proxy.service"]
    assert said["word"].startswith("kube-proxy keeps crashing (")
    inside(cluster, "worker/0", "sh", "-c", f"rm {drop_in}; systemctl daemon-reload; systemctl restart kube-proxy")
    await_health(cluster)


def test_a_disk_that_cannot_be_written_is_seen(cluster: Cluster) -> None:
    remount = ("mount", "-o")
    with stopped_units(cluster, "etcd.service", "etcd/2"):
        assert inside(cluster, "etcd/2", *remount, "remount,bind,ro", "/var/lib/kubo/disk").returncode == 0
        told = instance(status(cluster), "etcd/2")["sources"]["disk"]
        assert inside(cluster, "etcd/2", *remount, "remount,bind,rw", "/var/lib/kubo/disk").returncode == 0
        assert (told["verdict"], told["word"], told["details"]) == ("bad", "read-only", ["/var/lib/kubo/disk"])


def test_half_the_machines_may_be_dead_at_once(cluster: Cluster) -> None:
    """Comes last: what dies here stays dead."""
    site, _ = cluster
    assert inside(cluster, "master/1", "pkill", "-STOP", "-x", "kube-apiserver").returncode == 0
    os.kill(init_of(site, "etcd/0"), signal.SIGKILL)
    os.kill(init_of(site, "worker/0"), signal.SIGKILL)
    os.kill(init_of(site, "etcd/1"), signal.SIGSTOP)
    told = status(cluster)
    assert {name: instance(told, name)["state"] for name in ("etcd/0", "worker/0", "etcd/1")} == {
        "etcd/0": "stopped",
        "worker/0": "stopped",
        "etcd/1": "running",
    }
    unknown = dict.fromkeys(("shell", "network", "units", "node"), "unknown")
    assert verdicts(told, "worker/0") == {"machine": "bad", **unknown}
    assert verdicts(told, "master/1")["api"] == "bad"
    wait_until(  # The two members that are left may have to elect a leader first.
        lambda: verdicts(status(cluster), "etcd/1")["etcd"] == "good" or None, what="a leader of etcd", timeout=60
    )
    assert verdicts(status(cluster), "etcd/1") == {
        "machine": "good",
        "shell": "bad",
        "network": "unknown",
        "units": "unknown",
        "disk": "unknown",
        "etcd": "good",
    }
    assert instance(told, "proxy/0")["healthy"]
    assert told["etcd"] == {"members": 3, "healthy": 2, "quorum": 2}
