"""Healing: looks at a cluster, and turns what was decided into a plan that is applied under the cluster's lease."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from attrs import define, frozen

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.course import Course
from kubo_sdk.engine.deadline import deadline
from kubo_sdk.errors import Cancelled, Unavailable
from kubo_sdk.events import Event, LeaseAwaited, RepairDecided
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.operation import Operation
from kubo_sdk.planning.decision import Choice, Decision
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.problems import Problem
from kubo_sdk.planning.requested import choose
from kubo_sdk.probe import probe
from kubo_sdk.providers import Providers
from kubo_sdk.steps.context import RunState


@frozen(kw_only=True)
class Healer:
    """Repairs one cluster until ``stop`` is set.

    ``operation`` makes a new operation that a token can cancel; ``plan`` plans a decision from a fresh look.
    """

    spec: ClusterSpec
    providers: Providers
    clock: Clock
    stop: CancelToken
    operation: Callable[[CancelToken], Operation]
    plan: Callable[[Decision], tuple[Plan, RunState]]

    def check(self) -> tuple[Problem, ...]:
        """What is wrong now."""
        return diagnose(probe(self.spec, self.providers, self.clock), self.spec)

    def heal(self, resolutions: Mapping[str, str], *, auto: bool, unfinished: bool = False) -> Decision:
        """Do once what is asked for, and with *auto* what is safe about everything else.

        *unfinished*: a repair before this one was cut off, and what it left half done need not look ill yet.
        """
        report = probe(self.spec, self.providers, self.clock)
        decision = choose(diagnose(report, self.spec), report, resolutions, auto=auto)
        if decision.acts or (auto and unfinished and not report.cluster_paused):
            self.repair(decision)
        return decision

    def repair(self, decision: Decision, patience: float | None = None, course: Course | None = None) -> None:
        """Plan and apply *decision* under one lease, in at most *patience* seconds and until its *course* is stopped.

        Raises LeaseHeld, UnsafePlan, DeployFailed, Cancelled; Unavailable when it took too long, or when another
        director may have done it while one waited for the lease.
        """
        token = course.token if course is not None else self.stop.child()
        operation, waited = self.operation(token), _Waited()
        course = course or Course(token=token, emit=operation.emit)
        course.emit = operation.emit
        operation.observers = (*operation.observers, waited, course)
        try:
            with operation.leased():
                if waited.happened:
                    raise Unavailable("another director had the cluster's lease meanwhile; looking again")
                with self._limit(token, patience):
                    self._apply(operation, decision, course)
        except Cancelled:
            if self.stop.is_cancelled or course.is_stopped:
                raise
            raise Unavailable(f"the repair did not help within {patience:g} s; looking again") from None

    def _apply(self, operation: Operation, decision: Decision, course: Course) -> None:
        for choice in decision.acts:
            operation.emit(decided(choice, self.spec.id, self.clock))
        plan, state = self.plan(decision)
        course.planned(plan)
        operation.run(plan, state)

    def _limit(self, token: CancelToken, patience: float | None) -> contextlib.AbstractContextManager[None]:
        if patience is None:
            return contextlib.nullcontext()
        return deadline(self.clock, token, patience, f"it did not help within {patience:g} s")


@define
class _Waited:
    """An observer that remembers whether somebody else's lease was waited for."""

    happened: bool = False

    def __call__(self, event: Event) -> None:
        self.happened |= isinstance(event, LeaseAwaited)


def decided(choice: Choice, cluster: ClusterId, clock: Clock) -> Event:
    """The event that tells *choice*."""
    return RepairDecided(
        cluster=cluster,
        at=clock.now(),
        problem=choice.problem.id,
        instance=choice.problem.instance,
        resolution=str(choice.resolution),
        why=choice.why,
        attempt=choice.attempt,
        attempts=choice.attempts,
    )
