"""Rungs: which repair is due for one problem, and whether it is time.  Each rung is bounded and gets time to work."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubo_sdk.model.spec import HealthSpec
from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.history import Attempt, History, owner
from kubo_sdk.planning.problems import Evidence, Problem, ProblemType
from kubo_sdk.planning.resolutions import Resolution

# A unit is back sooner than a machine.
UNIT_SHARE = 1 / 2
LEAST_LOOKS = 3
# A machine that answers is not too busy, so a program of it that does not is stuck sooner.
STUCK_SHARE = 1 / 2


def next_choice(problem: Problem, history: History, policy: HealthSpec, now: datetime) -> Choice:
    """What would be done about *problem* if it stood alone: act, wait until a time, or refuse."""
    recent = history.within(policy.window_seconds, now)
    tried = recent.unhelpful_for(owner(problem))
    since = history.since(problem, now)
    ripe = since + timedelta(seconds=_lasts(problem, policy))
    if now < ripe or since == now or history.looks(problem) < _looks(problem):
        return Choice(problem=problem, standing=Standing.WAIT, why="it may pass by itself", until=max(ripe, now))
    if not problem.rungs:
        is_lost = problem.type is ProblemType.QUORUM_LOST
        why = "it is back with enough of its members" if is_lost else "nothing can be done about it without a person"
        return Choice(problem=problem, standing=Standing.REFUSED, why=why)
    if tried:
        settled = _settled(tried[-1], policy)
        if now < settled:
            why = f"{tried[-1].resolution} has until then to work"
            return Choice(problem=problem, standing=Standing.WAIT, why=why, until=settled)
    return _rung(problem, recent, tried, policy)


def patience(decision: Decision, policy: HealthSpec) -> float | None:
    """How many seconds a repair may take before the next rung is better; None where there is no better one."""
    asked = {choice.resolution for choice in decision.acts}
    if asked <= {Resolution.RESTART_UNITS}:
        return policy.startup_seconds * UNIT_SHARE
    return policy.startup_seconds if asked <= {Resolution.RESTART_UNITS, Resolution.REBOOT} else None


def _lasts(problem: Problem, policy: HealthSpec) -> float:
    """How many seconds *problem* must last before anything is done."""
    match problem.evidence:
        case Evidence.STUCK:
            return max(policy.silent_after_seconds * STUCK_SHARE, policy.unhealthy_after_seconds)
        case Evidence.SILENT:
            return policy.silent_after_seconds
        case Evidence.SERVES:
            return max(policy.silent_after_seconds, policy.startup_seconds)
    return policy.unhealthy_after_seconds


def _looks(problem: Problem) -> int:
    """How many looks in a row must show *problem*.  On a busy host a single one may take as long as silence may."""
    return 1 if problem.evidence is Evidence.TOLD else LEAST_LOOKS


def _settled(attempt: Attempt, policy: HealthSpec) -> datetime:
    """When *attempt* has had its time.  One that failed has waited for what did not come already."""
    whole = attempt.resolution.is_disruptive or attempt.resolution is Resolution.START
    seconds = policy.startup_seconds if whole else policy.startup_seconds * UNIT_SHARE
    begun = attempt.at if attempt.failed else attempt.ended or attempt.at
    return begun + timedelta(seconds=seconds)


def _rung(problem: Problem, recent: History, tried: tuple[Attempt, ...], policy: HealthSpec) -> Choice:
    """The lowest rung that was not tried in vain, or the highest, as long as its number of attempts lasts."""
    attempts = recent.attempts_for(owner(problem))
    for place, rung in enumerate(problem.rungs):
        used = sum(attempt.resolution is rung for attempt in attempts)
        if used < policy.attempts and not _in_vain(problem, place, tried):
            vain = ", ".join(dict.fromkeys(str(attempt.resolution) for attempt in tried))
            return Choice(
                problem=problem,
                standing=Standing.ACT,
                resolution=rung,
                why=problem.sentence + (f"; {vain} did not help" if vain else ""),
                attempt=used + 1,
                attempts=policy.attempts,
            )
    first = min(((attempt.ended or attempt.at) for attempt in attempts), default=None)
    again = first + timedelta(seconds=policy.window_seconds) if first else None
    why = f"all there is was tried within {policy.window_seconds:g} s"
    return Choice(problem=problem, standing=Standing.REFUSED, why=why, until=again)


def _in_vain(problem: Problem, place: int, tried: tuple[Attempt, ...]) -> bool:
    """Whether to pass over the rung at *place*.  Data is given up only when a whole new machine did not help."""
    rung, higher = problem.rungs[place], problem.rungs[place + 1 :]
    mine = [attempt for attempt in tried if attempt.resolution is rung]
    if rung is Resolution.RECREATE_EMPTY and not problem.loses_nothing:
        gentler = problem.rungs[place - 1]
        return not any(attempt.resolution is gentler and not attempt.failed for attempt in tried)
    if higher == (Resolution.RECREATE_EMPTY,):
        return any(not attempt.failed for attempt in mine)
    return bool(mine and higher)
