"""Obstacles: what breaks while a repair goes on, and is worth stopping it, so that all is decided anew.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.history import owner
from kubo_sdk.planning.plan import Effect, Step, Verb
from kubo_sdk.planning.problems import Problem, ProblemType

# What the CPI itself tells: whoever waits for such a machine waits in vain.
ABSENT = (ProblemType.MISSING_VM, ProblemType.STOPPED_VM)
# What no repair of something else brings about.  That API servers, Nodes and the endpoint are silent for a while, it
# may well; a whole machine that is silent has been so for long.
HARD = (
    ProblemType.UNRESPONSIVE_MACHINE,
    ProblemType.CUT_OFF_MACHINE,
    ProblemType.INACTIVE_DISK,
    ProblemType.MOUNT_MISMATCH,
    ProblemType.FAILED_UNIT,
    ProblemType.ETCD_MEMBER_CORRUPT,
    ProblemType.ETCD_MEMBER_DOWN,
)
# While one of these is taken or made anew, its machine is away.
_REMAKES = (Verb.DELETE_VM, Verb.CREATE_VM, Verb.REBOOT_VM)


@frozen(kw_only=True)
class Underway:
    """A repair that goes on.  ``concerned`` are the instances it changes; ``away`` those that need no machine now."""

    concerned: frozenset[str]
    away: frozenset[str]


def underway(decision: Decision, steps: Iterable[Step] | None, unfinished: Iterable[Step]) -> Underway:
    """The repair of *decision*, whose plan has *steps*; None before there is a plan."""
    decided = frozenset(owner(choice.problem) for choice in decision.acts)
    if steps is None:
        return Underway(concerned=decided, away=decided)
    changed = {step.instance for step in steps if step.instance and step.effect is not Effect.WAIT}
    away = {step.instance for step in unfinished if step.instance and step.verb in _REMAKES}
    return Underway(concerned=decided | changed, away=frozenset(away))


def absent(problems: Iterable[Problem], repair: Underway) -> tuple[Problem, ...]:
    """Machines that are gone or off, and not because of *repair*."""
    return tuple(problem for problem in problems if problem.type in ABSENT and problem.instance not in repair.away)


def obstacles(decision: Decision, report: HealthReport, repair: Underway) -> tuple[Problem, ...]:
    """What *decision*, made of all that is known now, would do something about, and *repair* does not.

    What waits, is held or was given up stops nothing: the next round would do no more about it.  A worker serves nobody
    but its own pods, so only its absence counts: a step may be waiting for it.
    """
    acts = [choice.problem for choice in decision.acts]
    return (*absent(acts, repair), *(problem for problem in acts if _is_hard(problem, report, repair)))


def _is_hard(problem: Problem, report: HealthReport, repair: Underway) -> bool:
    if problem.type not in HARD or not problem.instance or problem.instance in repair.concerned:
        return False
    if report.health(problem.instance).instance.role is Role.WORKER:
        return False
    return problem.type is not ProblemType.ETCD_MEMBER_DOWN or not any(
        health.instance.id in repair.concerned for health in report.instances if health.instance.role is Role.ETCD
    )
