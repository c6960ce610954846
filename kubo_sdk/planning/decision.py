"""Decision: what is done about each problem now, and why; the repair that comes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.history import owner
from kubo_sdk.planning.problems import Problem
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.ports.cpi import VmState


class Standing(StrEnum):
    """What became of a problem.  HELD: the meltdown brake has it."""

    ACT = "act"
    WAIT = "wait"
    HELD = "held"
    REFUSED = "refused"


@frozen(kw_only=True)
class Choice:
    """What is done about one problem.  ``why`` is a sentence; ``until`` when to look again, where a time is known.

    ``attempt`` of at most ``attempts`` with this ``resolution`` within the window.
    """

    problem: Problem
    standing: Standing
    why: str
    resolution: Resolution = Resolution.IGNORE
    until: datetime | None = None
    attempt: int = 0
    attempts: int = 0


@frozen(kw_only=True)
class Decision:
    """One choice for each problem.  ``held`` says why the meltdown brake holds repairs, where it does.

    ``silent`` are the instances whose machines did not answer.
    """

    choices: tuple[Choice, ...] = ()
    repair: Repair = Repair()
    held: str = ""
    silent: tuple[str, ...] = ()

    @property
    def acts(self) -> tuple[Choice, ...]:
        """The choices that do something now."""
        return tuple(choice for choice in self.choices if choice.standing is Standing.ACT)

    def acts_by(self, resolution: Resolution) -> tuple[Problem, ...]:
        """The problems that *resolution* is to solve now."""
        return tuple(choice.problem for choice in self.acts if choice.resolution is resolution)


def decision_of(
    choices: tuple[Choice, ...], report: HealthReport, *, held: str = "", halfway: Collection[str] = ()
) -> Decision:
    """The decision that *choices* about the problems of *report* make.  What is *halfway* repaired goes on with it."""
    silent = (health.instance.id for health in report.instances if health.says(Source.SHELL, Verdict.BAD))
    return Decision(choices=choices, repair=repair_for(choices, report, halfway), held=held, silent=tuple(silent))


def repair_for(choices: Iterable[Choice], report: HealthReport, halfway: Collection[str] = ()) -> Repair:
    """What *choices* mean for a plan.

    Starting, configuring and making what is missing need no word: a plan does that by itself for every
    instance that is not left alone.
    """
    acts = [choice for choice in choices if choice.standing is Standing.ACT]
    touched = {owner(choice.problem) for choice in acts}
    there = {health.instance.id for health in report.instances if health.vm is not None}

    def of(resolution: Resolution) -> tuple[str, ...]:
        return tuple(dict.fromkeys(owner(choice.problem) for choice in acts if choice.resolution is resolution))

    wiped = of(Resolution.RECREATE_EMPTY)
    replaced = tuple(each for each in of(Resolution.RECREATE) if each in there and each not in wiped)
    rebooted = tuple(each for each in of(Resolution.REBOOT) if each not in (*wiped, *replaced))
    restarted = {
        choice.problem.instance: choice.problem.details
        for choice in acts
        if choice.resolution is Resolution.RESTART_UNITS
        and choice.problem.instance not in (*wiped, *replaced, *rebooted)
    }
    return Repair(
        restart_units=tuple(restarted.items()),
        reboot=rebooted,
        replace=replaced,
        wipe=wiped,
        leave=tuple(
            health.instance.id
            for health in report.instances
            if health.instance.id not in touched and _is_left(health.instance.id, choices, report, halfway)
        ),
    )


def _is_left(instance: str, choices: Iterable[Choice], report: HealthReport, halfway: Collection[str]) -> bool:
    """Whether a plan must not touch *instance*: somebody said so, or it is ill and nothing is done about it."""
    if report.cluster_paused or instance in (*report.paused, *report.stopped):
        return True
    if any(choice.problem.instance == instance for choice in choices):
        return True
    health = report.health(instance)
    if health.vm is not None and health.vm.state is VmState.STARTING:
        return False  # Half made: who has the lease goes on with it, and creating what is made already changes nothing.
    return instance not in halfway and not health.says(Source.SHELL, Verdict.GOOD)
