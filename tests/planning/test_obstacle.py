"""What stops a repair under way: what would be acted on now, and what the repair itself does not bring about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubo_sdk.planning.decide import decide
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.history import History
from kubo_sdk.planning.obstacle import Underway, obstacles, underway
from kubo_sdk.planning.plan import Effect, Step, Verb
from kubo_sdk.planning.resolutions import Resolution

from .reports import SPEC, START, Director, acts, dead_unit, healthy, later, missing, off, saying, silent

WELL = healthy()
POLICY = SPEC.health
CREATE = Step(verb=Verb.CREATE_VM, instance="worker/0", reason="", effect=Effect.CREATE)
CONFIGURE = Step(verb=Verb.CONFIGURE_INSTANCE, instance="master/0", reason="", effect=Effect.CHANGE)
AWAIT = Step(verb=Verb.AWAIT_INSTANCE, instance="proxy/0", reason="", effect=Effect.WAIT)
REPAIR = Underway(concerned=frozenset({"worker/0", "master/0"}), away=frozenset({"worker/0"}))


def found(report: HealthReport, repair: Underway = REPAIR, seconds: float = 20) -> list[str]:
    """What stops *repair* when *report* has lasted that long."""
    history = History()
    for passed in (0.0, seconds / 2, seconds):
        seen = later(report, passed)
        problems = diagnose(seen, SPEC)
        history = history.saw(problems, seen)
    decision = decide(problems, seen, history, POLICY, seen.at)
    return [problem.id for problem in obstacles(decision, seen, repair)]


@pytest.mark.parametrize(
    ("report", "stops"),
    [
        (missing(WELL, "proxy/0"), ["missing_vm:proxy/0"]),
        (off(WELL, "worker/1"), ["stopped_vm:worker/1"]),
        (off(WELL, "master/0"), ["stopped_vm:master/0"]),
        (missing(WELL, "worker/0"), []),
        (dead_unit(WELL, "etcd/1", "etcd.service"), ["failed_unit:etcd/1"]),
        (dead_unit(WELL, "worker/1", "kubelet.service"), []),
        (dead_unit(WELL, "master/0", "kube-apiserver.service"), []),
        (silent(WELL, "etcd/2"), ["unresponsive_machine:etcd/2"]),
        (saying(WELL, "etcd/1", Source.ETCD, Verdict.BAD, "unhealthy"), ["etcd_member_down:etcd/1"]),
        (saying(WELL, "master/1", Source.API, Verdict.BAD, "not ready: etcd"), []),
        (saying(WELL, "worker/2", Source.NODE, Verdict.BAD, "not Ready"), []),
    ],
)
def test_what_stops_a_repair_and_what_does_not(report: HealthReport, stops: list[str]) -> None:
    assert found(report) == stops


def test_a_member_that_does_not_serve_while_another_is_replaced_may_be_a_symptom() -> None:
    report = saying(WELL, "etcd/1", Source.ETCD, Verdict.BAD, "unhealthy")
    assert not found(report, Underway(concerned=frozenset({"etcd/0"}), away=frozenset()))


def test_what_is_not_ripe_stops_nothing() -> None:
    assert not found(missing(WELL, "proxy/0"), seconds=POLICY.unhealthy_after_seconds / 2)


def test_a_machine_may_be_away_until_its_own_step_has_ended() -> None:
    director = Director()
    director.look(missing(WELL, "worker/0"))
    decision = director.look(missing(WELL, "worker/0"), POLICY.unhealthy_after_seconds)
    steps = (CREATE, CONFIGURE, AWAIT)
    assert underway(decision, None, ()).away == {"worker/0"}
    assert underway(decision, steps, steps) == REPAIR
    assert underway(decision, steps, (CONFIGURE, AWAIT)).away == frozenset()


def test_a_stopped_repair_was_not_tried_in_vain_and_goes_on_at_once() -> None:
    director = Director()
    report = off(WELL, "worker/0")
    director.look(report)
    director.act(director.look(report, POLICY.unhealthy_after_seconds))
    history = director.history
    begun = History().tried([("worker/0", Resolution.START)], START)
    stopped = begun.stopped(START + timedelta(seconds=5), diagnose(missing(WELL, "proxy/0"), SPEC), history)
    assert not stopped.attempts
    assert dict(stopped.halfway) == {"worker/0": START}
    problems = diagnose(report, SPEC)
    seen = stopped.saw(problems, later(report, 6))
    assert decided(report, seen, 6) == {"worker/0": Resolution.START}


def test_what_fell_ill_again_is_counted_and_its_rung_is_not_passed_over() -> None:
    report = off(WELL, "worker/0")
    problems = diagnose(report, SPEC)
    history = History()
    for number in range(POLICY.attempts):
        history = history.saw(problems, later(report, number * 10))
        assert decided(report, history, number * 10 + 5) == {"worker/0": Resolution.START}
        begun = history.tried([("worker/0", Resolution.START)], later(report, number * 10 + 5).at)
        history = begun.stopped(later(report, number * 10 + 6).at, problems, history)
    assert len(history.attempts_for("worker/0")) == POLICY.attempts
    assert decided(report, history.saw(problems, later(report, 60)), 60) == {"worker/0": Resolution.RECREATE}


def decided(report: HealthReport, history: History, seconds: float) -> dict[str, Resolution]:
    seen = later(report, seconds)
    decision: Decision = decide(diagnose(seen, SPEC), seen, history, POLICY, seen.at)
    return acts(decision)
