"""Who is cut off, and when it is the endpoint instead: from whom everybody reaches to problems."""

from __future__ import annotations

import attrs
import pytest

from kubo_sdk.planning.decision import Standing
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.problems import Problem, ProblemType
from kubo_sdk.planning.resolutions import Resolution

from .reports import SPEC, Director, acts, choice_for, healthy, missing, node, saying, silent, unreached

WELL = healthy()
POLICY = SPEC.health
SILENCE = "silent: no answer in time"


def found(report: HealthReport) -> list[str]:
    return [problem.id for problem in diagnose(report, SPEC)]


def only(report: HealthReport) -> Problem:
    (problem,) = diagnose(report, SPEC)
    return problem


def dead_endpoint() -> HealthReport:
    """Nobody gets to the API by its endpoint; its servers are ready."""
    report = attrs.evolve(WELL, api_ready=False)
    workers = [instance.id for instance in SPEC.instances() if instance.group == "worker"]
    return unreached(report, *workers)


@pytest.mark.parametrize(
    ("instance", "own"),
    [("etcd/0", Source.ETCD), ("master/1", Source.API), ("worker/2", Source.NODE), ("proxy/0", None)],
)
def test_a_machine_that_alone_reaches_nobody_is_cut_off_and_that_hides_all_that_follows(
    instance: str, own: Source | None
) -> None:
    report = unreached(WELL, instance)
    if own:
        report = saying(report, instance, own, Verdict.BAD, SILENCE)
    problem = only(report)
    assert (problem.type, problem.instance) == (ProblemType.CUT_OFF_MACHINE, instance)
    assert problem.rungs == (Resolution.REBOOT, Resolution.RECREATE)
    assert "cannot reach 10.0.0." in problem.sentence


def test_a_worker_is_cut_off_when_only_the_director_reaches_the_endpoint() -> None:
    workers = [instance.id for instance in SPEC.instances() if instance.group == "worker"]
    assert found(unreached(WELL, *workers)) == [f"cut_off_machine:{name}" for name in workers]


def test_two_members_that_are_cut_off_are_told_from_the_third_which_only_lacks_them() -> None:
    report = unreached(WELL, "etcd/0", "etcd/1", "etcd/2")
    for name, word in (("etcd/0", SILENCE), ("etcd/1", SILENCE), ("etcd/2", "no leader")):
        report = saying(report, name, Source.ETCD, Verdict.BAD, word)
    report = attrs.evolve(report, members=None, api_ready=False, nodes=None)
    assert found(report) == ["cut_off_machine:etcd/0", "cut_off_machine:etcd/1", "quorum_lost:etcd"]


def test_when_nobody_hears_anybody_it_is_not_the_machines_that_are_cut_off() -> None:
    """The director's own network may be down."""
    report = attrs.evolve(WELL, api_ready=False, nodes=None, members=None)
    for health in report.instances:
        own = {"etcd": Source.ETCD, "master": Source.API, "worker": Source.NODE}.get(health.instance.group)
        if own:
            report = saying(report, health.instance.id, own, Verdict.BAD, SILENCE)
    assert not any(each.startswith("cut_off_machine") for each in found(report))


def test_an_endpoint_that_nobody_reaches_is_the_proxys_problem_and_the_workers_are_fine() -> None:
    problem = only(dead_endpoint())
    assert problem.id == "endpoint_unreachable:proxy/0"
    assert problem.rungs == (Resolution.RESTART_UNITS, Resolution.REBOOT, Resolution.RECREATE)


def test_an_endpoint_that_is_no_machine_of_the_cluster_is_told_and_left_to_a_person() -> None:
    report = attrs.evolve(dead_endpoint(), endpoint="10.0.0.77:8443")
    for worker in ("worker/0", "worker/1", "worker/2"):
        report = saying(report, worker, Source.NETWORK, Verdict.BAD, "cannot reach it", "10.0.0.77:8443")
    problem = only(report)
    assert (problem.subject, problem.instance, problem.rungs) == ("10.0.0.77:8443", "", ())


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (silent(dead_endpoint(), "proxy/0"), "unresponsive_machine:proxy/0"),
        (missing(dead_endpoint(), "proxy/0"), "missing_vm:proxy/0"),
        (unreached(dead_endpoint(), "proxy/0"), "cut_off_machine:proxy/0"),
        (
            saying(dead_endpoint(), "proxy/0", Source.UNITS, Verdict.BAD, "haproxy failed", "haproxy.service"),
            "failed_unit:proxy/0",
        ),
    ],
    ids=["silent", "missing", "cut off", "failed"],
)
def test_what_is_wrong_with_the_proxy_itself_hides_that_nobody_reaches_the_endpoint(
    report: HealthReport, expected: str
) -> None:
    assert found(report) == [expected]


def test_an_endpoint_is_not_blamed_while_no_api_server_is_ready_or_a_worker_still_reaches_it() -> None:
    waiting = dead_endpoint()
    for master in ("master/0", "master/1"):
        waiting = saying(waiting, master, Source.API, Verdict.BAD, "not ready: etcd")
    assert found(waiting) == ["api_server_stuck:master/0", "api_server_stuck:master/1"]
    assert not found(attrs.evolve(WELL, api_ready=False))


def test_an_endpoint_that_takes_connections_and_passes_nothing_on_is_known_by_the_nodes() -> None:
    report = attrs.evolve(WELL, api_ready=False)
    for worker in ("worker/0", "worker/1", "worker/2"):
        report = saying(report, worker, Source.NODE, Verdict.BAD, "not Ready: NodeStatusUnknown")
    assert found(report) == ["endpoint_unreachable:proxy/0"]


def test_the_node_of_a_machine_that_reaches_nobody_is_no_problem_of_its_own() -> None:
    report = saying(dead_endpoint(), "worker/0", Source.NODE, Verdict.BAD, "not Ready")
    down = tuple(attrs.evolve(node(each), ready=False) for each in SPEC.instances() if each.group == "worker")
    assert found(attrs.evolve(report, nodes=down)) == ["endpoint_unreachable:proxy/0"]


def test_a_daemon_that_does_not_answer_is_given_more_time_than_one_that_is_dead() -> None:
    deaf = saying(WELL, "worker/0", Source.UNITS, Verdict.BAD, "kubelet does not answer", "kubelet.service")
    director = Director()
    director.look(deaf)
    assert not director.look(deaf, POLICY.unhealthy_after_seconds).acts
    decision = director.look(deaf, POLICY.silent_after_seconds)
    assert acts(decision) == {"worker/0": Resolution.RESTART_UNITS}
    assert dict(decision.repair.restart_units) == {"worker/0": ("kubelet.service",)}
    dead = saying(WELL, "worker/0", Source.UNITS, Verdict.BAD, "kubelet failed", "kubelet.service")
    director = Director()
    director.look(dead)
    assert acts(director.look(dead, POLICY.unhealthy_after_seconds)) == {"worker/0": Resolution.RESTART_UNITS}


@pytest.mark.parametrize("report", [silent(WELL, "worker/0"), unreached(WELL, "worker/0")], ids=["silent", "cut off"])
def test_silence_is_told_at_once_and_acted_on_after_three_looks_in_a_row(report: HealthReport) -> None:
    """On a host with too much to do, two looks may be further apart than the time silence gets."""
    director, apart = Director(), POLICY.silent_after_seconds * 3
    assert choice_for(director.look(report), "worker/0").standing is Standing.WAIT
    assert not director.look(report, apart).acts
    assert acts(director.look(report, apart)) == {"worker/0": Resolution.REBOOT}
    director.look(WELL)
    assert not director.look(report, apart).acts
    assert not director.look(report, apart).acts
