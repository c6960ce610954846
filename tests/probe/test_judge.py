"""What is good, bad and not known yet, judged from what machines say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.nodes.probe_script import DiskState, UnitState, VitalSigns
from kubo_sdk.planning.health import Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.probe.judge import BOOT_SECONDS, START_SECONDS, disk_fact, judge_unit, machine_fact, units_fact

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86400.0

RUNNING = UnitState(name="kubelet.service", active="active", sub="running", type="simple", age=DAY)
DISK = DiskState(target="/var/lib/kubo/disk", size=10**9, free=10**8, inodes=10**6, free_inodes=10**5, writable=True)
WELL = VitalSigns(uptime=DAY, booted=True, configured=True, units=(RUNNING,), disk=DISK)


def unit(**changes: Any) -> UnitState:
    return evolve(RUNNING, **changes)


@pytest.mark.parametrize(
    ("state", "verdict", "word"),
    [
        (unit(), Verdict.GOOD, "active"),
        (unit(active="failed", sub="failed", result="exit-code"), Verdict.BAD, "failed (exit-code)"),
        (unit(active="inactive", sub="dead"), Verdict.BAD, "inactive"),
        (unit(active="activating", sub="start", age=5.0), Verdict.UNKNOWN, "starting"),
        (unit(active="activating", sub="start", age=START_SECONDS), Verdict.BAD, f"starting for {START_SECONDS} s"),
        (unit(active="deactivating", sub="stop-sigterm", age=2.0), Verdict.UNKNOWN, "stopping"),
        (unit(active="inactive", sub="dead", queued=True, age=3.0), Verdict.UNKNOWN, "starting"),
        (unit(active="activating", sub="auto-restart", restarts=1, age=0.3), Verdict.UNKNOWN, "starting"),
        (
            unit(active="activating", sub="auto-restart", restarts=9, age=0.3),
            Verdict.BAD,
            "keeps crashing (9 restarts)",
        ),
        (unit(restarts=9, age=0.5), Verdict.BAD, "keeps crashing (9 restarts)"),
        (unit(restarts=9, age=3600.0), Verdict.GOOD, "active"),
        (unit(restarts=9, failures=1, age=0.5), Verdict.GOOD, "active"),
        (unit(restarts=9, failures=3, age=0.5), Verdict.BAD, "keeps crashing (9 restarts)"),
        (unit(restarts=1, age=0.5), Verdict.GOOD, "active"),
    ],
)
def test_a_daemon_is_judged_by_its_state_and_how_long_it_has_been_in_it(
    state: UnitState, verdict: Verdict, word: str
) -> None:
    assert judge_unit(state, uptime=DAY) == (verdict, word)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (unit(type="oneshot", active="inactive", sub="dead"), Verdict.GOOD),
        (unit(type="oneshot", active="activating", sub="start", age=DAY), Verdict.GOOD),
        (unit(type="oneshot", active="failed", sub="failed", result="exit-code"), Verdict.BAD),
        (unit(type="oneshot", active="activating", sub="auto-restart", result="exit-code", restarts=5), Verdict.BAD),
    ],
)
def test_what_runs_once_is_well_while_it_works_and_when_it_is_done(state: UnitState, verdict: Verdict) -> None:
    assert judge_unit(state, uptime=DAY)[0] is verdict


def test_a_job_that_waits_is_measured_by_the_machines_own_uptime() -> None:
    """A unit that never ran has no time of its own: systemd's clock began with the host."""
    waiting = unit(active="inactive", sub="dead", queued=True, age=DAY)
    assert judge_unit(waiting, uptime=4.0)[0] is Verdict.UNKNOWN
    assert judge_unit(waiting, uptime=DAY)[0] is Verdict.BAD


def test_units_are_bad_when_one_is_and_the_fact_names_it() -> None:
    signs = evolve(
        WELL,
        units=(
            RUNNING,
            unit(name="containerd.service", active="failed", result="signal"),
            unit(name="kube-proxy.service", active="activating", sub="start", age=1.0),
        ),
    )
    fact = units_fact(signs, NOW)
    assert (fact.source, fact.verdict, fact.details) == (Source.UNITS, Verdict.BAD, ("containerd.service",))
    assert fact.word == "containerd failed (signal)"


def test_what_keeps_a_unit_that_runs_from_its_work_is_told_and_is_no_illness() -> None:
    signs = evolve(WELL, units=(RUNNING, unit(name="kubo-cfrouting.service", trouble="the UAA does not answer")))
    fact = units_fact(signs, NOW)
    assert (fact.verdict, fact.details) == (Verdict.GOOD, ())
    assert fact.word == "active; kubo-cfrouting: the UAA does not answer"


def test_units_are_unknown_while_one_starts_and_no_other_is_bad() -> None:
    signs = evolve(WELL, units=(RUNNING, unit(name="kube-proxy.service", active="activating", sub="start", age=1.0)))
    fact = units_fact(signs, NOW)
    assert (fact.verdict, fact.details, fact.word) == (
        Verdict.UNKNOWN,
        ("kube-proxy.service",),
        "kube-proxy starting",
    )


def test_a_machine_that_boots_is_not_judged_until_it_takes_too_long() -> None:
    booting = evolve(WELL, booted=False, units=(), uptime=3.0, disk=evolve(DISK, target="/"))
    assert (units_fact(booting, NOW).verdict, units_fact(booting, NOW).word) == (Verdict.UNKNOWN, "booting")
    assert disk_fact(booting, NOW).verdict is Verdict.UNKNOWN
    stuck = evolve(booting, uptime=float(BOOT_SECONDS))
    assert (units_fact(stuck, NOW).verdict, units_fact(stuck, NOW).details) == (Verdict.BAD, ())
    assert disk_fact(stuck, NOW).verdict is Verdict.BAD


def test_a_machine_that_carries_nothing_is_bad_and_names_no_unit() -> None:
    fact = units_fact(evolve(WELL, configured=False, units=()), NOW)
    assert (fact.verdict, fact.word, fact.details) == (Verdict.BAD, "not configured", ())


@pytest.mark.parametrize(
    ("changes", "verdict", "word"),
    [
        ({}, Verdict.GOOD, "mounted"),
        ({"target": "/"}, Verdict.BAD, "not mounted"),
        ({"target": ""}, Verdict.BAD, "not mounted"),
        ({"writable": False}, Verdict.BAD, "read-only"),
        ({"free": 9 * 10**6}, Verdict.BAD, "full"),
        ({"free_inodes": 0}, Verdict.BAD, "full"),
        ({"inodes": 0, "free_inodes": 0}, Verdict.GOOD, "mounted"),
        ({"size": 10**13, "free": 10**9}, Verdict.GOOD, "mounted"),
    ],
)
def test_a_persistent_disk_must_be_mounted_writable_and_have_room(
    changes: dict[str, Any], verdict: Verdict, word: str
) -> None:
    fact = disk_fact(evolve(WELL, disk=evolve(DISK, **changes)), NOW)
    assert (fact.verdict, fact.word) == (verdict, word)


@pytest.mark.parametrize(
    ("state", "verdict", "word"),
    [
        (VmState.RUNNING, Verdict.GOOD, "running"),
        (VmState.STOPPED, Verdict.BAD, "stopped"),
        (VmState.STARTING, Verdict.UNKNOWN, "booting"),
        (VmState.UNKNOWN, Verdict.UNKNOWN, "unknown"),
    ],
)
def test_the_cpis_word_for_a_machine_is_judged(state: VmState, verdict: Verdict, word: str) -> None:
    vm = Vm(
        id="vm-1",
        cluster=ClusterId(director="kubo", name="demo"),
        instance="worker/0",
        token="t",
        state=state,
        address="10.0.0.1",
        az="z1",
        provider_id="x://vm-1",
    )
    assert (machine_fact(vm, NOW).verdict, machine_fact(vm, NOW).word) == (verdict, word)
    assert machine_fact(None, NOW).verdict is Verdict.BAD
