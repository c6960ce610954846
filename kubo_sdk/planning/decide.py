"""Decides what is repaired now, what waits and what is refused, each with its reason.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from kubo_sdk.model.spec import HealthSpec
from kubo_sdk.planning.brake import Failure, why_held
from kubo_sdk.planning.decision import Choice, Decision, Standing, decision_of
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.history import History
from kubo_sdk.planning.problems import Problem, ProblemType
from kubo_sdk.planning.restraint import Restraint
from kubo_sdk.planning.rungs import next_choice

# With these the machine itself is down, whatever is done about it.  One that is only off is started, and no more.
DOWN = (
    ProblemType.MISSING_VM,
    ProblemType.UNRESPONSIVE_MACHINE,
    ProblemType.CUT_OFF_MACHINE,
    ProblemType.MISSING_DISK,
)


def decide(
    problems: Iterable[Problem], report: HealthReport, history: History, policy: HealthSpec, now: datetime
) -> Decision:
    """One choice for each problem, and the repair they make.

    *history* has seen *report*.  A problem is left alone until it has lasted ``unhealthy_after_seconds``; then its
    rungs are climbed, each with its time to work and its bound.  The meltdown brake holds what takes machines away.
    """
    choices = tuple(
        _forbidden(problem, report, policy) or next_choice(problem, history, policy, now) for problem in problems
    )
    held = why_held(
        [_failure(choice, history, now) for choice in choices if _is_down(choice, report)],
        [health.instance for health in report.instances],
        policy.meltdown,
        now,
    )
    if held:
        choices = tuple(_held(choice, held) for choice in choices)
    choices = Restraint(report).restrain(choices)
    return decision_of(choices, report, held=held, halfway=tuple(subject for subject, _ in history.halfway))


def _forbidden(problem: Problem, report: HealthReport, policy: HealthSpec) -> Choice | None:
    why = ""
    if report.cluster_paused:
        why = "the cluster is paused; end it with kubo resume"
    elif problem.instance in report.paused:
        why = f"{problem.instance} is paused; end it with kubo resume {problem.instance}"
    elif not policy.enabled:
        why = "health.enabled is false, so nothing is repaired"
    return Choice(problem=problem, standing=Standing.REFUSED, why=why) if why else None


def _is_down(choice: Choice, report: HealthReport) -> bool:
    """Whether the problem counts for the brake: a machine is down, or is about to be taken away."""
    instance = choice.problem.instance
    if not instance or instance in report.paused:
        return False
    return choice.problem.type in DOWN or (choice.standing is Standing.ACT and choice.resolution.is_disruptive)


def _failure(choice: Choice, history: History, now: datetime) -> Failure:
    spent = choice.standing is Standing.REFUSED
    return Failure(instance=choice.problem.instance, since=history.since(choice.problem, now), spent=spent)


def _held(choice: Choice, why: str) -> Choice:
    if choice.standing is Standing.ACT and choice.resolution.is_disruptive:
        return attrs.evolve(choice, standing=Standing.HELD, why=why, attempt=0, attempts=0)
    return choice
