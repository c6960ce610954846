"""Board: what everybody is doing now, worked out from events.  Pure: knows no clock and no terminal."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import define, field, frozen

from kubo_sdk.events import (
    Event,
    LeaseAwaited,
    MachinesAwaited,
    OperationFinished,
    PlanMade,
    StepFailed,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)

CLUSTER = "cluster"


class Mark(StrEnum):
    """How a row stands."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    FAILED = "failed"
    DONE = "done"


@frozen(kw_only=True)
class Line:
    """One row as shown.  ``since`` is when what it is doing began; None where nothing runs."""

    subject: str
    mark: Mark
    text: str
    since: datetime | None = None


@define
class _Running:
    title: str
    since: datetime
    message: str = ""
    retrying: bool = False


@define
class _Row:
    running: dict[str, _Running] = field(factory=dict)
    last: str = ""
    failed: str = ""


@define
class Board:
    """Feed it every event with `see`; read `lines` at any time."""

    operation: str = ""
    planned: int = 0
    ended: int = 0
    begun: datetime | None = None
    finished: OperationFinished | None = None
    _rows: dict[str, _Row] = field(factory=dict)

    def see(self, event: Event) -> None:
        """Take *event* into account."""
        self.begun = self.begun or event.at
        match event:
            case LeaseAwaited():
                self.operation = f"waiting for {event.holder}"
            case MachinesAwaited():
                self.operation = f"waiting for {', '.join(event.instances)} to boot"
            case PlanMade():
                self.operation, self.planned = f"{event.operation} {event.cluster}", event.steps
            case StepStarted():
                title = without_instance(event.title, event.instance)
                self._row(event.instance).running[event.step] = _Running(title=title, since=event.at)
            case StepProgress():
                self._say(event.instance, event.step, event.message, retrying=False)
            case StepRetried():
                self._say(event.instance, event.step, f"again in {event.delay:.1f} s: {event.reason}", retrying=True)
            case StepFinished():
                self._end(event.instance, event.step).last = f"{without_instance(event.title, event.instance)}: done"
            case StepFailed():
                title = without_instance(event.title, event.instance)
                self._end(event.instance, event.step).failed = f"{title}: {event.error}"
            case OperationFinished():
                self.finished = event

    def lines(self) -> tuple[Line, ...]:
        """One line for the cluster's own steps where there are any, then one for every instance."""
        groups = list(dict.fromkeys(_group(subject) for subject in self._rows))
        subjects = sorted(
            self._rows, key=lambda subject: (subject != CLUSTER, groups.index(_group(subject)), _index(subject))
        )
        return tuple(self._line(subject, self._rows[subject]) for subject in subjects)

    def _line(self, subject: str, row: _Row) -> Line:
        if row.failed:
            return Line(subject=subject, mark=Mark.FAILED, text=row.failed)
        if row.running:
            newest = max(row.running.values(), key=lambda running: running.since)
            text = f"{newest.title}: {newest.message}" if newest.message else newest.title
            mark = Mark.RETRYING if newest.retrying else Mark.RUNNING
            return Line(subject=subject, mark=mark, text=text, since=newest.since)
        over = self.finished is not None and not self.finished.error
        return Line(subject=subject, mark=Mark.DONE if over else Mark.WAITING, text=row.last)

    def _row(self, instance: str | None) -> _Row:
        return self._rows.setdefault(instance or CLUSTER, _Row())

    def _say(self, instance: str | None, step: str, message: str, *, retrying: bool) -> None:
        running = self._row(instance).running.get(step)
        if running is not None:
            running.message, running.retrying = message, retrying

    def _end(self, instance: str | None, step: str) -> _Row:
        self.ended += 1
        row = self._row(instance)
        row.running.pop(step, None)
        return row


def without_instance(title: str, instance: str | None) -> str:
    """``create vm`` for the title ``create vm worker/0`` of the instance ``worker/0``."""
    return title.removesuffix(f" {instance}") if instance else title


def _group(subject: str) -> str:
    return subject.partition("/")[0]


def _index(subject: str) -> int:
    index = subject.partition("/")[2]
    return int(index) if index.isdecimal() else -1
