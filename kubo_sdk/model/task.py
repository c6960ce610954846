"""Task: one operation as the journal tells it: what was planned, what was done, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen


class Result(StrEnum):
    """INTERRUPTED: the process is gone and left no end."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@frozen(kw_only=True)
class TaskSummary:
    """One task in a line.

    ``number`` counts the tasks of the cluster.  ``user``, ``host`` and ``pid`` say who ran it.  ``ended`` is None where
    no end was written.  ``seconds`` is how long it took, or how long it was seen to run; ``steps_done`` how
    many steps ended well.
    """

    number: int
    operation: str
    result: Result
    user: str
    host: str
    pid: int
    started: datetime
    ended: datetime | None
    seconds: float
    steps_done: int
    error: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "number": self.number,
            "operation": self.operation,
            "result": str(self.result),
            "user": self.user,
            "host": self.host,
            "pid": self.pid,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat() if self.ended else None,
            "seconds": round(self.seconds, 3),
            "steps_done": self.steps_done,
            "error": self.error,
        }


@frozen(kw_only=True)
class TaskStep:
    """One step that was planned.  ``start`` is in seconds since the task began, None for one that never started.

    ``result`` is that of a task, or empty for a step that never started; ``retries`` counts the second tries.
    """

    step: str
    instance: str | None
    reason: str = ""
    effect: str = ""
    needs: tuple[str, ...] = ()
    result: Result | None = None
    start: float | None = None
    seconds: float = 0.0
    retries: int = 0
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "step": self.step,
            "instance": self.instance,
            "effect": self.effect,
            "reason": self.reason,
            "needs": list(self.needs),
            "result": str(self.result or ""),
            "start": None if self.start is None else round(self.start, 3),
            "seconds": round(self.seconds, 3),
            "retries": self.retries,
            "error": self.error,
        }


@frozen(kw_only=True)
class Task:
    """One task with everything in it.  ``events`` are all that was told, oldest first, as ``kubo up --json`` does."""

    summary: TaskSummary
    steps: tuple[TaskStep, ...]
    events: tuple[Mapping[str, Any], ...] = field(repr=False, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            **self.summary.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
            "events": [dict(event) for event in self.events],
        }
