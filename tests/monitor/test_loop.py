"""The loop itself: what is told and how often, what wakes and ends it, and that no error does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import attrs
import pytest

from kubo_sdk import CancelToken
from kubo_sdk.engine.course import Course
from kubo_sdk.engine.deadline import deadline
from kubo_sdk.errors import Cancelled, DeployFailed, LeaseHeld, Unavailable
from kubo_sdk.events import (
    Event,
    LookFailed,
    ProblemGone,
    ProblemSeen,
    RepairDecided,
    RepairRefused,
    RepairsHeld,
    RepairsResumed,
)
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, HealthSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.monitor import Monitor
from kubo_sdk.monitor.watching import machines_every
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.health import Fact, HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.testing.fakes import VirtualClock, sized

from .ward import Ward

SPEC = ClusterSpec(name="c", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
WORKERS = SPEC.instances(Role.WORKER)
VM = Vm(
    id="vm",
    cluster=SPEC.id,
    instance="worker/0",
    token="t",
    state=VmState.RUNNING,
    address="10.0.0.1",
    az="z1",
    provider_id="",
)


class Round:
    """A monitor of three workers, of which some carry nothing; repairs do what the test says."""

    def __init__(self, *ill: str) -> None:
        self.clock = VirtualClock()
        self.ill = set(ill)
        self.errors: list[Exception] = []
        self.look_errors: list[Exception] = []
        self.looks = 0
        self.repairs: list[Decision] = []
        self.events: list[Event] = []
        self.monitor = Monitor(spec=SPEC, look=self.look, repair=self.repair, emit=self.events.append, clock=self.clock)

    def look(self) -> HealthReport:
        self.looks += 1
        if self.look_errors:
            raise self.look_errors.pop(0)
        now = self.clock.now()

        def health(number: int) -> InstanceHealth:
            instance = WORKERS[number]
            is_ill = instance.id in self.ill
            verdict, word = (Verdict.BAD, "not configured") if is_ill else (Verdict.GOOD, "fine")
            facts = tuple(
                Fact(source=source, verdict=Verdict.GOOD if source is Source.SHELL else verdict, word=word, seen=now)
                for source in (Source.SHELL, Source.UNITS)
            )
            return InstanceHealth(instance=instance, vm=VM, facts=facts)

        return HealthReport(at=now, instances=tuple(health(number) for number in range(3)), api_ready=True)

    def repair(self, decision: Decision, patience: float | None, course: Course) -> None:
        del patience, course
        self.repairs.append(decision)
        if self.errors:
            raise self.errors.pop(0)
        self.ill -= {choice.problem.instance for choice in decision.acts}

    def run(self) -> None:
        self.monitor.run(CancelToken(), once=True)

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def test_what_comes_and_goes_is_told_once_with_how_long_it_lasted() -> None:
    round_ = Round("worker/0")
    round_.run()
    (seen,), (gone,) = round_.told(ProblemSeen), round_.told(ProblemGone)
    assert isinstance(seen, ProblemSeen)
    assert isinstance(gone, ProblemGone)
    assert seen.problem == gone.problem == "unconfigured_machine:worker/0"
    assert gone.seconds == (gone.at - seen.at).total_seconds() == SPEC.health.unhealthy_after_seconds
    assert len(round_.repairs) == 1


def test_an_error_of_a_look_is_told_once_and_ends_nothing() -> None:
    round_ = Round("worker/0")
    stop = CancelToken()
    round_.look_errors = [Unavailable("the cloud is away"), Unavailable("the cloud is away"), ZeroDivisionError("x")]
    threading.Thread(target=round_.monitor.run, args=[stop], name="monitor").start()
    until(round_.clock, lambda: bool(round_.told(ProblemGone)))
    stop.cancel("enough")
    assert [event.error for event in round_.told(LookFailed)] == [  # type: ignore[attr-defined]
        "the cloud is away",
        "ZeroDivisionError: x",
    ]


def test_who_looks_only_once_gets_the_error_of_the_look() -> None:
    round_ = Round()
    round_.look_errors = [Unavailable("the key of the credentials is missing")]
    with pytest.raises(Unavailable, match="the key of the credentials is missing"):
        round_.run()


def until(clock: VirtualClock, happened: Callable[[], bool]) -> None:
    """Let time pass, virtual and a little real, until something *happened*."""
    real = threading.Event()
    for _ in range(2000):
        if happened():
            return
        clock.advance(0.5)
        real.wait(0.005)
    pytest.fail("it did not happen")


def test_a_repair_that_fails_is_told_counted_and_tried_again_after_its_time() -> None:
    round_ = Round("worker/0")
    round_.errors = [DeployFailed([("configure worker/0", Unavailable("no"))])]
    began = round_.clock.time
    round_.run()
    assert len(round_.repairs) == 2
    assert round_.clock.time - began >= SPEC.health.startup_seconds / 2
    assert [event.error for event in round_.told(LookFailed)] == ["configure worker/0: no"]  # type: ignore[attr-defined]
    assert round_.repairs[1].acts[0].why.endswith("; configure did not help")


def test_a_lease_that_another_director_holds_is_told_once_costs_no_attempt_and_is_waited_for() -> None:
    round_ = Round("worker/0")
    round_.errors = [LeaseHeld("cluster kubo/c is being worked on by process 7"), LeaseHeld("the same by process 7")]
    round_.run()
    assert [event.why for event in round_.told(RepairsHeld)] == [  # type: ignore[attr-defined]
        "cluster kubo/c is being worked on by process 7"
    ]
    assert len(round_.told(RepairsResumed)) == 1
    assert [decision.acts[0].attempt for decision in round_.repairs] == [1, 1, 1]
    assert not round_.told(LookFailed)


def test_stopping_ends_the_loop_at_once_also_while_it_sleeps() -> None:
    round_, stop = Round(), CancelToken()
    loop = threading.Thread(target=round_.monitor.run, args=[stop], name="monitor")
    loop.start()
    until(round_.clock, lambda: round_.looks > 2)
    stop.cancel("enough")
    loop.join(10)
    assert not loop.is_alive()


def test_stopping_in_the_middle_of_a_repair_ends_the_loop_and_tells_no_failure() -> None:
    round_ = Round("worker/0")
    stop = CancelToken()

    def cancelled(decision: Decision, patience: float | None, course: Course) -> None:
        del decision, patience, course
        stop.cancel("enough")
        raise Cancelled("stopped")

    Monitor(spec=SPEC, look=round_.look, repair=cancelled, emit=round_.events.append, clock=round_.clock).run(stop)
    assert not round_.told(LookFailed)


def test_only_the_first_reason_of_a_refusal_and_each_new_one_is_told() -> None:
    round_ = Round("worker/0")
    spec = attrs.evolve(SPEC, health=HealthSpec(enabled=False))
    monitor = Monitor(spec=spec, look=round_.look, repair=round_.repair, emit=round_.events.append, clock=round_.clock)
    for _ in range(3):
        monitor.decide()
    assert [event.why for event in round_.told(RepairRefused)] == [  # type: ignore[attr-defined]
        "health.enabled is false, so nothing is repaired"
    ]
    assert not round_.told(RepairDecided)


def test_what_takes_longer_than_its_deadline_is_cancelled_and_what_does_not_is_not() -> None:
    clock, quick, slow = VirtualClock(), CancelToken(), CancelToken()
    with deadline(clock, quick, 10, "too slow"):
        clock.advance(9)
    with deadline(clock, slow, 10, "too slow"):
        clock.sleep(11)
        until(clock, lambda: slow.is_cancelled)
    assert not quick.is_cancelled
    assert slow.reason == "too slow"


def test_machines_that_are_well_are_entered_less_often_the_more_there_are() -> None:
    assert machines_every(SPEC) == 2.0
    assert machines_every(attrs.evolve(SPEC, instance_groups=sized(worker=994))) == 20.0


def test_a_restart_that_does_not_help_is_given_up_after_the_time_of_a_unit(ward: Ward) -> None:
    ward.machine("worker/0").fail_unit("kubelet", restarts_help=False)
    ward.heal()
    (first,) = [event for event in ward.told(LookFailed) if "30 s" in event.error]
    decided = ward.told(RepairDecided)
    assert first.at - decided[0].at <= timedelta(seconds=ward.spec.health.startup_seconds)
    assert decided[1].resolution == "reboot"
