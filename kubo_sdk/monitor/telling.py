"""Telling: turns what changed from one look to the next into events, each told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from attrs import define, field

from kubo_sdk.events import (
    Event,
    LookFailed,
    ProblemGone,
    ProblemSeen,
    RepairRefused,
    RepairsHeld,
    RepairsResumed,
)
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.problems import Problem


@define
class Telling:
    """Remembers what was told.  *emit* is called for each event."""

    cluster: ClusterId
    emit: Callable[[Event], None]
    _seen: dict[str, tuple[Problem, datetime]] = field(factory=dict)
    _refused: dict[str, str] = field(factory=dict)
    _held: str = ""
    _elsewhere: bool = False
    _error: str = ""

    def tell(self, decision: Decision, at: datetime) -> None:
        """Tell what came and went since the last time, and what is not repaired."""
        self._error = ""
        problems = {choice.problem.id: choice.problem for choice in decision.choices}
        for name in [each for each in self._seen if each not in problems]:
            problem, since = self._seen.pop(name)
            seconds = (at - since).total_seconds()
            self.emit(
                ProblemGone(cluster=self.cluster, at=at, problem=name, instance=problem.instance, seconds=seconds)
            )
        self.see(problems.values(), at)
        self._tell_refused(decision, at)
        if not (self._elsewhere and decision.choices):
            self._elsewhere = False
            self._hold(decision.held, at)

    def see(self, problems: Iterable[Problem], at: datetime) -> None:
        """Tell which of *problems* are new."""
        for problem in problems:
            if problem.id not in self._seen:
                self._seen[problem.id] = (problem, at)
                self.emit(
                    ProblemSeen(
                        cluster=self.cluster,
                        at=at,
                        problem=problem.id,
                        instance=problem.instance,
                        sentence=problem.sentence,
                    )
                )

    def wait_for_another(self, why: str, at: datetime) -> None:
        """Tell that somebody else is at work.  It is over when a repair can be done, or nothing is wrong any more."""
        self._elsewhere = True
        self._hold(why, at)

    def go_on(self, at: datetime) -> None:
        """Tell that nobody else is at work any more."""
        if self._elsewhere:
            self._elsewhere = False
            self._hold("", at)

    def _hold(self, why: str, at: datetime) -> None:
        """A number that changes in the reason is no news."""
        if why and not self._held:
            self.emit(RepairsHeld(cluster=self.cluster, at=at, why=why))
        elif self._held and not why:
            self.emit(RepairsResumed(cluster=self.cluster, at=at))
        self._held = why

    def fail(self, error: str, at: datetime) -> None:
        """Tell that a look or a repair failed."""
        if error != self._error:
            self.emit(LookFailed(cluster=self.cluster, at=at, error=error))
        self._error = error

    def _tell_refused(self, decision: Decision, at: datetime) -> None:
        refused = {choice.problem.id: choice for choice in decision.choices if _is_refused(choice)}
        for name, choice in refused.items():
            if self._refused.get(name) != choice.why:
                self.emit(
                    RepairRefused(
                        cluster=self.cluster,
                        at=at,
                        problem=name,
                        instance=choice.problem.instance,
                        why=choice.why,
                    )
                )
        self._refused = {name: choice.why for name, choice in refused.items()}


def _is_refused(choice: Choice) -> bool:
    """Whether nothing is done, and not only for a moment.  What the brake holds is told once for all."""
    waits = choice.standing is Standing.WAIT and choice.until is None
    return waits or choice.standing is Standing.REFUSED
