"""The status out of a report: the verdict names the worst first, and every source keeps its word, verdict and age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.cli.status_tree import status_lines
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.health import EtcdMemberView, Fact, HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.status import status_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
API = Endpoint(name="api", host="10.0.0.9", port=8443)
OWN = {
    Role.ETCD: (Source.ETCD, "healthy"),
    Role.MASTER: (Source.API, "ready"),
    Role.WORKER: (Source.NODE, "Ready"),
    Role.PROXY: (Source.UNITS, "active"),
}


def fact(source: Source, word: str, verdict: Verdict = Verdict.GOOD, age: float = 0.0) -> Fact:
    return Fact(source=source, verdict=verdict, word=word, seen=NOW - timedelta(seconds=age))


def vm(instance: Instance) -> Vm:
    return Vm(
        id=f"vm-{instance.slug}",
        cluster=SPEC.id,
        instance=instance.id,
        token="t",
        state=VmState.RUNNING,
        address="10.0.0.1",
        az="z1",
        provider_id="x",
    )


def well(instance: Instance) -> InstanceHealth:
    facts = (fact(Source.MACHINE, "running"), fact(*OWN[instance.role]))
    return InstanceHealth(instance=instance, vm=vm(instance), facts=facts)


def members(healthy: int, count: int = 3) -> tuple[EtcdMemberView, ...]:
    return tuple(
        EtcdMemberView(id=index, name=f"etcd-{index}", peer_urls=(), healthy=index < healthy) for index in range(count)
    )


def report(**changes: Any) -> HealthReport:
    instances = tuple(map(well, SPEC.instances()))
    fine = HealthReport(at=NOW, instances=instances, api_ready=True, members=members(3), nodes=())
    return evolve(fine, **changes)


def ill(*facts: Fact, instance: str = "worker/1") -> tuple[InstanceHealth, ...]:
    """Everybody is well except for one, of whom *facts* are said."""
    return tuple(
        evolve(health, facts=(health.facts[0], *facts)) if health.instance.id == instance else health
        for health in report().instances
    )


DOWN = fact(Source.NODE, "not Ready: no heartbeat", Verdict.BAD)


def test_a_cluster_in_which_everybody_is_well_is_healthy() -> None:
    status = status_of(SPEC, report(), API)
    assert (status.healthy, status.verdict, status.endpoint) == (True, "healthy: 9 instances", "https://10.0.0.9:8443")


def test_the_sick_are_named() -> None:
    status = status_of(SPEC, report(instances=ill(DOWN)), API)
    assert (status.healthy, status.verdict) == (False, "8 of 9 instances are healthy; unhealthy: worker/1")


def test_what_nobody_knows_is_not_healthy_either() -> None:
    booting = fact(Source.UNITS, "booting", Verdict.UNKNOWN)
    assert not status_of(SPEC, report(instances=ill(booting)), API).healthy


def test_lost_quorum_comes_before_anything_else() -> None:
    sick = report(
        instances=ill(DOWN), members=members(1), api_ready=False, expiries=(("admin", NOW - timedelta(days=1)),)
    )
    status = status_of(SPEC, sick, API)
    assert status.verdict.startswith("etcd has lost its quorum: 1 of its 3 members serve and 2 must")
    assert status.etcd is not None
    assert status.etcd.to_dict() == {"members": 3, "healthy": 1, "quorum": 2}


def test_one_lost_member_of_three_is_no_lost_quorum() -> None:
    assert "quorum" not in status_of(SPEC, report(members=members(2)), API).verdict


def test_a_learner_has_no_vote() -> None:
    learning = (*members(1, 1), EtcdMemberView(id=9, name="", peer_urls=(), learner=True))
    status = status_of(SPEC, report(members=learning), API)
    assert (status.healthy, status.etcd and status.etcd.members) == (True, 1)


def test_etcd_that_tells_nothing_has_no_quorum_once_a_member_was_asked() -> None:
    silent = fact(Source.ETCD, "silent", Verdict.BAD)
    asked = report(members=None, instances=ill(silent, instance="etcd/0"))
    assert status_of(SPEC, asked, API).verdict.startswith("etcd has lost its quorum: 0 of its 3 members")
    unasked = report(members=None, instances=ill(fact(Source.ETCD, "no credentials", Verdict.UNKNOWN)), api_ready=False)
    assert status_of(SPEC, unasked, API).verdict.startswith("the API does not answer")


def test_without_machines_there_is_no_cluster() -> None:
    gone = tuple(
        evolve(health, vm=None, facts=(fact(Source.MACHINE, "missing", Verdict.BAD),)) for health in report().instances
    )
    status = status_of(SPEC, report(instances=gone, members=None, api_ready=False), None)
    assert (status.verdict, status.endpoint) == ("there is no cluster; run: kubo up", "")
    assert {each.state for each in status.instances} == {"missing"}


@pytest.mark.parametrize(
    ("left", "healthy", "words"),
    [
        (timedelta(days=200), True, "healthy: 9 instances"),
        (timedelta(days=12, hours=1), True, "healthy: 9 instances; the certificate admin ends in 12 days"),
        (timedelta(hours=-1), False, "the certificate admin ended on 2026-01-01 11:00 UTC"),
    ],
)
def test_a_certificate_is_warned_of_before_it_ends_and_makes_sick_afterwards(
    left: timedelta, healthy: bool, words: str
) -> None:
    status = status_of(SPEC, report(expiries=(("ca", NOW + timedelta(days=3650)), ("admin", NOW + left))), API)
    assert (status.healthy, status.verdict) == (healthy, words)
    assert status.expires is not None
    assert (status.expires.credential, status.expires.days) == ("admin", left.days)


def test_who_was_stopped_on_purpose_is_shown_and_makes_nobody_sick() -> None:
    off = fact(Source.SHELL, "silent", Verdict.BAD)
    status = status_of(SPEC, report(instances=ill(off), stopped=("worker/1",)), API)
    assert (status.healthy, status.verdict) == (True, "healthy: 8 of 9 instances; stopped: worker/1")
    assert any("stopped, shell: silent" in line for line in status_lines(status))


def test_pauses_are_shown_and_hide_no_illness() -> None:
    status = status_of(SPEC, report(instances=ill(DOWN), paused=("worker/1",)), API)
    assert not status.healthy
    assert status.verdict.endswith("unhealthy: worker/1; repairs are paused: worker/1")
    everything = status_of(SPEC, report(cluster_paused=True), API)
    assert everything.verdict == "healthy: 9 instances; repairs are paused: everything"
    assert everything.to_dict()["paused"]


def test_a_silent_api_is_told_when_everybody_else_is_well() -> None:
    assert status_of(SPEC, report(api_ready=False), API).verdict == "the API does not answer; unhealthy: nobody else"


def test_programs_get_every_word_with_its_verdict_and_age() -> None:
    old = fact(Source.SHELL, "answers", age=4.0)
    told = status_of(SPEC, report(instances=ill(old, DOWN)), API).to_dict()
    worker = next(each for each in told["instances"] if each["instance"] == "worker/1")
    assert worker["facts"] == {"machine": "running", "shell": "answers", "node": "not Ready: no heartbeat"}
    assert worker["sources"]["shell"] == {"verdict": "good", "word": "answers", "age_seconds": 4.0, "details": []}
    assert worker["sources"]["node"]["verdict"] == "bad"


def test_a_long_list_of_sick_instances_is_cut() -> None:
    sick = tuple(
        evolve(health, facts=(health.facts[0], fact(Source.UNITS, "failed", Verdict.BAD)))
        for health in report().instances
    )
    assert status_of(SPEC, report(instances=sick), API).verdict.endswith("worker/1, worker/2 and 1 more")
