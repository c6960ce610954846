"""Progress as plain lines, one for each event, for log files and pipes."""

from __future__ import annotations

import threading
from datetime import datetime
from types import TracebackType
from typing import TextIO

from kubo_sdk.cli.progress.board import without_instance
from kubo_sdk.cli.progress.health import health_line
from kubo_sdk.events import (
    Event,
    LeaseAwaited,
    LeaseLost,
    MachinesAwaited,
    OperationFinished,
    PlanMade,
    StepFailed,
    StepFinished,
    StepProgress,
    StepRetried,
    StepStarted,
)


class Plain:
    """Writes lines to *out*.  Times count from the first event."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._first: datetime | None = None

    def __enter__(self) -> Plain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was held."""

    def observe(self, event: Event) -> None:
        with self._lock:
            self._first = self._first or event.at
            seconds = (event.at - self._first).total_seconds()
            print(f"{seconds:7.1f} s  {line(event)}", file=self._out, flush=True)

    def note(self, text: str) -> None:
        with self._lock:
            print(f"kubo: {text}", file=self._out, flush=True)


def line(event: Event) -> str:
    """*event* in one line."""
    match event:
        case PlanMade():
            return f"{event.operation} {event.cluster}: {event.steps} steps"
        case StepStarted() | StepFinished() | StepFailed() | StepRetried():
            return f"{event.instance or 'cluster':<12} {without_instance(event.title, event.instance)}{_outcome(event)}"
        case StepProgress():
            return f"{event.instance or 'cluster':<12} {without_instance(event.step, event.instance)}: {event.message}"
        case LeaseAwaited() | LeaseLost() | MachinesAwaited():
            return _about_others(event)
        case OperationFinished():
            ending = f"failed after {event.seconds:.1f} s" if event.error else f"done in {event.seconds:.1f} s"
            return f"{event.operation} {event.cluster}: {ending}"
    return health_line(event) or f"{type(event).__name__} {event.cluster}"


def _about_others(event: LeaseAwaited | LeaseLost | MachinesAwaited) -> str:
    """Whom the operation waits or gives way for."""
    if isinstance(event, MachinesAwaited):
        return f"waiting up to {event.seconds:.0f} s for the boot of {', '.join(event.instances)}"
    if isinstance(event, LeaseLost):
        return f"stopping: {event.reason}"
    return f"waiting up to {event.seconds:.0f} s to see whether {event.holder} still works on {event.cluster}"


def _outcome(event: Event) -> str:
    match event:
        case StepFinished():
            return f": done in {event.seconds:.1f} s"
        case StepFailed():
            return f": failed after {event.seconds:.1f} s: {event.error}"
        case StepRetried():
            return f": again in {event.delay:.1f} s: {event.reason}"
    return ""
