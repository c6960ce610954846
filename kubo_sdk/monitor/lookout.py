"""Lookout: goes on looking while a repair runs, and stops it when something new stands in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import define, field

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.course import Course
from kubo_sdk.errors import Cancelled, KuboError
from kubo_sdk.events import RepairStopped
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.monitor.telling import Telling
from kubo_sdk.planning.decide import decide
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport, Source
from kubo_sdk.planning.history import History
from kubo_sdk.planning.obstacle import ABSENT, absent, obstacles, underway
from kubo_sdk.planning.problems import Problem

log = logging.getLogger(__name__)


@define(kw_only=True)
class Lookout:
    """Looks in a thread of its own as long as the ``with`` lasts.

    ``history`` is that before the repair of ``decision``: what the repair itself does says nothing about it.  For
    ``patience`` seconds nothing stops the repair.  ``found`` is why it was stopped.
    """

    spec: ClusterSpec
    look: Callable[[], HealthReport]
    clock: Clock
    telling: Telling
    course: Course
    decision: Decision
    history: History
    patience: float
    found: tuple[Problem, ...] = ()
    _absent: dict[str, datetime] = field(factory=dict, init=False)
    _done: CancelToken = field(factory=CancelToken, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _error: BaseException | None = field(default=None, init=False)

    def __enter__(self) -> Lookout:
        # For a daemon's sleep nobody waits: on a virtual clock the repair alone makes time pass.
        self._thread = threading.Thread(target=self._run, name="kubo-lookout", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.cancel("the repair has ended")
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def blame(self) -> None:
        """The repair failed: it may be because of a machine that was there when it was decided, and is not now."""
        known = {choice.problem.id for choice in self.decision.choices}
        report = self.look()
        problems = diagnose(report, self.spec)
        self.history = self.history.saw(problems, report)
        gone = absent(problems, underway(self.decision, self.course.steps, self.course.unfinished))
        self.found = tuple(problem for problem in gone if problem.id not in known)

    def _run(self) -> None:
        until = self.clock.now() + timedelta(seconds=self.patience)
        while not self.course.is_stopped:
            try:
                self._done.sleep(self.clock, self.spec.health.probe_seconds)
                self._judge(self._look(), until)
            except Cancelled:
                return
            except KuboError as error:
                log.debug("cluster %s was not looked at during a repair: %s", self.spec.id, error)
            except Exception:
                log.exception("cluster %s could not be looked at during a repair", self.spec.id)
            except BaseException as error:  # What ends a process ends it from here, too.
                self._error = error
                self.course.token.cancel("this process is to end")
                return

    def _look(self) -> HealthReport:
        report = self.look()
        self._done.check()
        return report

    def _judge(self, report: HealthReport, until: datetime) -> None:
        repair = underway(self.decision, self.course.steps, self.course.unfinished)
        problems = diagnose(report, self.spec)
        self.history = self.history.saw(problems, report)
        gone = absent(problems, repair)
        self.telling.see(gone, report.at)
        before, self._absent = self._absent, {}
        for problem in gone:
            self._absent[problem.id] = before.get(problem.id, told_at(problem, report))
        anew = decide(problems, report, self.history, self.spec.health, report.at)
        found = tuple(each for each in obstacles(anew, report, repair) if self._is_sure(each, report))
        if found and report.at >= until:
            self._stop(found, report.at)

    def _is_sure(self, problem: Problem, report: HealthReport) -> bool:
        """Whether the CPI has said so twice."""
        return problem.type not in ABSENT or self._absent.get(problem.id, report.at) < told_at(problem, report)

    def _stop(self, found: tuple[Problem, ...], at: datetime) -> None:
        self.found = found
        first = found[0]
        why = f"{first.sentence}; what is to be done is decided anew"
        self.course.stop(
            RepairStopped(cluster=self.spec.id, at=at, problem=first.id, instance=first.instance, why=why), why
        )


def told_at(problem: Problem, report: HealthReport) -> datetime:
    """When the CPI said what it says of the machine."""
    fact = report.health(problem.instance).fact(Source.MACHINE)
    return fact.seen if fact is not None else report.at
