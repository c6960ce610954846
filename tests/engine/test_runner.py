"""The runner: order, parallelism, retries, failures, cancellation."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from kubo_sdk.engine.cancel import CancellableClock, CancelToken
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.engine.runner import MAX_ATTEMPTS, Runner
from kubo_sdk.errors import Cancelled, DeployFailed, NotFound, Unavailable
from kubo_sdk.events import Event, StepFailed, StepFinished, StepRetried, StepStarted
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb
from kubo_sdk.testing.fakes.clock import VirtualClock

CLUSTER = ClusterId(director="d", name="c")


def step(instance: str, *needs: str) -> Step:
    return Step(
        verb=Verb.CREATE_VM,
        instance=instance,
        reason="",
        effect=Effect.CREATE,
        needs=tuple(f"create vm {need}" for need in needs),
    )


class Run:
    """One run of a plan with everything it told."""

    def __init__(self, *steps: Step) -> None:
        self.plan = Plan(cluster=CLUSTER, operation="deploy", steps=steps)
        self.cancel = CancelToken()
        self.halt = self.cancel.child()
        self.events: list[Event] = []

    def __call__(self, perform) -> None:  # type: ignore[no-untyped-def]
        Runner(
            perform=perform,
            emit=self.events.append,
            clock=SystemClock(),
            cancel=self.cancel,
            halt=self.halt,
        ).run(self.plan)

    def of(self, kind: type[Event]) -> list[str]:
        return [event.instance for event in self.events if isinstance(event, kind)]  # type: ignore[attr-defined]


def test_a_step_starts_after_what_it_needs() -> None:
    order: list[str] = []
    run = Run(step("a"), step("b", "a"), step("c", "b"))
    run(lambda s: order.append(s.instance))
    assert order == ["a", "b", "c"]
    assert run.of(StepFinished) == ["a", "b", "c"]


def test_independent_steps_run_at_the_same_time() -> None:
    meeting = threading.Barrier(8, timeout=10)
    Run(*(step(str(number)) for number in range(8)))(lambda s: meeting.wait())


def test_a_retryable_failure_is_tried_again() -> None:
    attempts: list[str] = []

    def perform(s: Step) -> None:
        attempts.append(str(s.instance))
        if len(attempts) < 3:
            raise Unavailable("not yet", retry_after=0.001)

    run = Run(step("a"))
    run(perform)
    assert len(attempts) == 3
    assert len(run.of(StepRetried)) == 2


def test_a_retryable_failure_is_not_tried_for_ever() -> None:
    attempts: list[str] = []

    def perform(s: Step) -> None:
        attempts.append(str(s.instance))
        raise Unavailable("never", retry_after=0.001)

    with pytest.raises(DeployFailed, match="create vm a: never"):
        Run(step("a"))(perform)
    assert len(attempts) == MAX_ATTEMPTS


def test_a_failure_for_good_is_reported_once_and_what_needs_it_never_starts() -> None:
    run = Run(step("a"), step("b", "a"))

    def perform(s: Step) -> None:
        raise NotFound("gone")

    with pytest.raises(DeployFailed) as caught:
        run(perform)
    assert [title for title, _ in caught.value.failures] == ["create vm a"]
    assert run.of(StepStarted) == ["a"]
    assert run.of(StepFailed) == ["a"]


def test_all_failures_of_steps_that_ran_together_are_collected() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def perform(s: Step) -> None:
        meeting.wait()
        raise NotFound(str(s.instance))

    with pytest.raises(DeployFailed) as caught:
        Run(step("a"), step("b"))(perform)
    assert sorted(title for title, _ in caught.value.failures) == ["create vm a", "create vm b"]


def test_a_failure_ends_the_waits_of_the_other_steps() -> None:
    run = Run(step("a"), step("b"))
    waiting = threading.Event()

    def perform(s: Step) -> None:
        if s.instance == "a":
            waiting.wait(10)
            raise NotFound("gone")
        waiting.set()
        clock = CancellableClock(SystemClock(), run.halt)
        wait_until(lambda: None, what="never", timeout=600, clock=clock)

    with pytest.raises(DeployFailed, match="create vm a: gone"):
        run(perform)


def test_cancelling_lets_running_steps_end_and_starts_no_other() -> None:
    run = Run(step("a"), step("b", "a"))

    def perform(s: Step) -> None:
        run.cancel.cancel("interrupted")

    with pytest.raises(Cancelled, match="run the same command again to go on"):
        run(perform)
    assert run.of(StepFinished) == ["a"]
    assert run.of(StepStarted) == ["a"]


def test_cancelling_wakes_a_step_that_waits() -> None:
    run = Run(step("a"))

    def perform(s: Step) -> None:
        threading.Timer(0.01, run.cancel.cancel, ["interrupted"]).start()
        wait_until(lambda: None, what="never", timeout=600, clock=CancellableClock(SystemClock(), run.halt))

    with pytest.raises(Cancelled):
        run(perform)


def test_a_wait_that_times_out_says_what_it_last_saw() -> None:
    def probe() -> None:
        raise Unavailable("connection refused")

    with pytest.raises(Unavailable, match=r"the API answering did not happen within 0.01 s: connection refused"):
        wait_until(probe, what="the API answering", timeout=0.01, interval=0.001)


def test_a_wait_may_ask_less_and_less_often() -> None:
    clock, asked = VirtualClock(), []

    with pytest.raises(Unavailable):
        wait_until(lambda: asked.append(clock.monotonic()), what="it", timeout=14, interval=1, growth=2, clock=clock)
    assert [later - sooner for sooner, later in pairwise(asked)] == [1, 2, 4, 8]
