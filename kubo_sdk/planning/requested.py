"""Requested: what somebody asks to be done about problems, by name, instead of what the rungs would do.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.planning.decision import Choice, Decision, Standing, decision_of
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.problems import Problem
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.planning.restraint import Restraint


def choose(
    problems: Sequence[Problem], report: HealthReport, wished: Mapping[str, str], *, auto: bool = False
) -> Decision:
    """The decision that follows from resolutions *wished* for by problem id; with *auto*, defaults for the others.

    Nothing waits and nothing is braked, because a person asked; etcd's majority is kept all the same.  ConfigError: no
    such problem, no such resolution.  UnsafePlan: what was asked for by name must not be done now.
    """
    _check_names(problems, wished)
    if report.cluster_paused:
        raise UnsafePlan("the cluster is paused, so nothing is repaired; end it with kubo resume")
    choices = tuple(_choice(problem, report, wished.get(problem.id), auto=auto) for problem in problems)
    choices = Restraint(report).restrain(choices)
    against = [choice for choice in choices if choice.problem.id in wished and choice.standing is Standing.WAIT]
    if against:
        raise UnsafePlan("; ".join(f"{choice.problem.id} cannot be resolved now: {choice.why}" for choice in against))
    return decision_of(choices, report)


def _check_names(problems: Sequence[Problem], wished: Mapping[str, str]) -> None:
    there = {problem.id: problem for problem in problems}
    wrong = []
    for name, resolution in wished.items():
        if name not in there:
            wrong.append(f"there is no problem {name!r} now; there are: {', '.join(there) or 'none'}")
        elif resolution not in there[name].resolutions:
            possible = ", ".join(there[name].resolutions)
            wrong.append(f"problem {name!r} has no resolution {resolution!r}; there are: {possible}")
    if wrong:
        raise ConfigError(wrong)


def _choice(problem: Problem, report: HealthReport, wished: str | None, *, auto: bool) -> Choice:
    if wished is not None and problem.instance in report.paused and wished != Resolution.IGNORE:
        name = problem.instance
        raise UnsafePlan(f"{name} is paused, so {problem.id} is left as it is; end it with kubo resume {name}")
    resolution = Resolution(wished) if wished else problem.default if auto else Resolution.IGNORE
    if resolution is Resolution.IGNORE:
        return Choice(problem=problem, standing=Standing.REFUSED, why="nobody asked for anything safe to be done")
    if problem.instance in report.paused:
        why = f"{problem.instance} is paused; end it with kubo resume {problem.instance}"
        return Choice(problem=problem, standing=Standing.REFUSED, why=why)
    return Choice(
        problem=problem,
        standing=Standing.ACT,
        resolution=resolution,
        why=f"{problem.sentence}; somebody asked for it",
        attempt=1,
        attempts=1,
    )
