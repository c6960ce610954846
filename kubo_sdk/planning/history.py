"""History: since when problems are seen, and what was tried about them.  A value; remembering makes a new one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import attrs
from attrs import frozen

from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.problems import Problem, ProblemType
from kubo_sdk.planning.resolutions import Resolution

# What a repair that was stopped leaves behind, and how many looks show it for sure.
GOES_ON = (ProblemType.MISSING_VM, ProblemType.STOPPED_VM, ProblemType.UNCONFIGURED_MACHINE)
LOOKS = 3


@frozen(kw_only=True)
class Sighting:
    """A problem that is there, since when, and how many looks in a row have shown it."""

    problem: str
    subject: str
    since: datetime
    looks: int = 1


@frozen(kw_only=True)
class Attempt:
    """Something that was tried for a subject.  ``ended`` is None while it runs; ``failed``: it ended too early;
    ``stopped``: it had no time to help.
    """

    subject: str
    resolution: Resolution
    at: datetime
    ended: datetime | None = None
    failed: bool = False
    stopped: bool = False


@frozen(kw_only=True)
class History:
    """Sightings by problem, attempts oldest first, and when each subject was last seen without any problem.

    ``halfway`` are the subjects whose repair was stopped, and since when it ran.
    """

    sightings: tuple[Sighting, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    well: tuple[tuple[str, datetime], ...] = ()
    halfway: tuple[tuple[str, datetime], ...] = ()

    def saw(self, problems: Iterable[Problem], report: HealthReport) -> History:
        """With the *problems* that *report* showed.  Who has none is well, unless it is only on its way there."""
        known = {sighting.problem: sighting for sighting in self.sightings}
        now = tuple(
            attrs.evolve(known[each.id], looks=known[each.id].looks + 1)
            if each.id in known
            else self._new(each, report.at)
            for each in problems
        )
        unwell = {sighting.subject for sighting in now}
        unwell |= {health.instance.id for health in report.instances if not health.is_healthy}
        tried = {attempt.subject for attempt in self.attempts}
        well = {**dict(self.well), **dict.fromkeys(tried - unwell, report.at)}
        healthy = {health.instance.id for health in report.instances if health.is_healthy}
        halfway = tuple(each for each in self.halfway if each[0] not in healthy - unwell)
        return attrs.evolve(self, sightings=now, well=tuple(sorted(well.items())), halfway=halfway)

    def _new(self, problem: Problem, at: datetime) -> Sighting:
        """The first sighting of *problem*.  A machine that is left as a stopped repair left it needs no second look."""
        subject = owner(problem)
        begun = dict(self.halfway).get(subject) if problem.type in GOES_ON else None
        return Sighting(problem=problem.id, subject=subject, since=begun or at, looks=LOOKS if begun else 1)

    def tried(self, chosen: Collection[tuple[str, Resolution]], at: datetime) -> History:
        """With one attempt begun for each (subject, resolution)."""
        begun = tuple(Attempt(subject=subject, resolution=resolution, at=at) for subject, resolution in chosen)
        halfway = tuple(each for each in self.halfway if each[0] not in dict(chosen))
        return attrs.evolve(self, attempts=(*self.attempts, *begun), halfway=halfway)

    def ended(self, at: datetime, *, failed: bool) -> History:
        """With everything that was begun at its end."""
        attempts = tuple(
            attempt if attempt.ended else attrs.evolve(attempt, ended=at, failed=failed) for attempt in self.attempts
        )
        return attrs.evolve(self, attempts=attempts)

    def stopped(self, at: datetime, found: Collection[Problem], seen: History) -> History:
        """With everything that was begun stopped because of *found*, of which *seen* knows since when.

        It counts for no more than the number of attempts, and only for those that fell ill again meanwhile.
        """
        again, ids = {owner(problem) for problem in found}, {problem.id for problem in found}
        attempts = tuple(
            attempt if attempt.ended else attrs.evolve(attempt, ended=at, stopped=True)
            for attempt in self.attempts
            if attempt.ended or attempt.subject in again
        )
        halfway = {attempt.subject: attempt.at for attempt in self.attempts if not attempt.ended}
        return attrs.evolve(
            self,
            attempts=attempts,
            sightings=(
                *(each for each in self.sightings if each.problem not in ids),
                *(each for each in seen.sightings if each.problem in ids),
            ),
            halfway=tuple({**dict(self.halfway), **halfway}.items()),
        )

    def unseen(self) -> History:
        """Without sightings: somebody else worked on the cluster, so what was seen before says nothing."""
        return attrs.evolve(self, sightings=())

    def within(self, seconds: float, now: datetime) -> History:
        """Without attempts older than *seconds*."""
        first = now - timedelta(seconds=seconds)
        attempts = tuple(attempt for attempt in self.attempts if (attempt.ended or attempt.at) >= first)
        tried = {attempt.subject for attempt in attempts}
        well = tuple((subject, at) for subject, at in self.well if subject in tried)
        halfway = tuple((subject, at) for subject, at in self.halfway if at >= first)
        return attrs.evolve(self, attempts=attempts, well=well, halfway=halfway)

    def since(self, problem: Problem, now: datetime) -> datetime:
        """When *problem* was first seen, without a break until now."""
        return next((sighting.since for sighting in self.sightings if sighting.problem == problem.id), now)

    def looks(self, problem: Problem) -> int:
        """How many looks in a row have shown *problem*."""
        return next((sighting.looks for sighting in self.sightings if sighting.problem == problem.id), 0)

    def attempts_for(self, subject: str) -> tuple[Attempt, ...]:
        """What was tried for *subject*, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.subject == subject)

    def unhelpful_for(self, subject: str) -> tuple[Attempt, ...]:
        """What was tried since *subject* was last well."""
        last = dict(self.well).get(subject)
        return tuple(
            each for each in self.attempts_for(subject) if not each.stopped and (last is None or each.at > last)
        )


def owner(problem: Problem) -> str:
    """Whose attempts count for *problem*: the instance, or what is ill where there is none."""
    return problem.instance or problem.subject
