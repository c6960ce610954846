"""Events: what happened, as frozen values.  An observer never decides the fate of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import fields, frozen

from kubo_sdk.model.instance import ClusterId


@frozen(kw_only=True)
class Event:
    """Something that happened to *cluster* at *at* (UTC)."""

    cluster: ClusterId
    at: datetime

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: ``{"event": "StepStarted", "cluster": "kubo/demo", "at": …}`` and the event's own fields."""
        named = {field.name: _plain(getattr(self, field.name)) for field in fields(type(self))}
        return {"event": type(self).__name__, **named}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, ClusterId) else value


@frozen(kw_only=True)
class PlanMade(Event):
    """A plan was made.  ``steps`` counts its steps; 0 means that the cluster is as wished for."""

    operation: str
    steps: int


@frozen(kw_only=True)
class StepEvent(Event):
    """Something about one step.  ``step`` is its id, ``title`` what people read."""

    step: str
    title: str
    instance: str | None = None


@frozen(kw_only=True)
class StepStarted(StepEvent):
    """A step begins."""


@frozen(kw_only=True)
class StepProgress(StepEvent):
    """A step tells what it is doing now."""

    message: str


@frozen(kw_only=True)
class StepRetried(StepEvent):
    """A step failed with something that may pass, and is run again after ``delay`` seconds."""

    reason: str
    delay: float


@frozen(kw_only=True)
class StepFinished(StepEvent):
    """A step ended well."""

    seconds: float


@frozen(kw_only=True)
class StepFailed(StepEvent):
    """A step failed for good."""

    error: str
    seconds: float


@frozen(kw_only=True)
class LeaseAwaited(Event):
    """Another director's lease is watched: for at most ``seconds``, until ``holder`` shows life or counts as gone."""

    holder: str
    seconds: float


@frozen(kw_only=True)
class MachinesAwaited(Event):
    """Machines that do not answer may still be booting; for at most ``seconds`` that is waited for."""

    instances: tuple[str, ...]
    seconds: float


@frozen(kw_only=True)
class LeaseLost(Event):
    """The lease inside the cluster went to somebody else; the operation stops."""

    reason: str


@frozen(kw_only=True)
class OperationFinished(Event):
    """The whole operation ended.  ``error`` is empty on success."""

    operation: str
    seconds: float
    error: str = ""


@frozen(kw_only=True)
class ProblemEvent(Event):
    """Something about one problem.  ``problem`` is its id: ``failed_unit:worker/0``; ``instance`` may be empty."""

    problem: str
    instance: str


@frozen(kw_only=True)
class ProblemSeen(ProblemEvent):
    """A problem is there that was not there at the look before."""

    sentence: str


@frozen(kw_only=True)
class ProblemGone(ProblemEvent):
    """A problem is there no longer, after ``seconds``."""

    seconds: float


@frozen(kw_only=True)
class RepairDecided(ProblemEvent):
    """Something will be done about a problem: the ``attempt``-th of at most ``attempts`` with this ``resolution``."""

    resolution: str
    why: str
    attempt: int
    attempts: int


@frozen(kw_only=True)
class RepairRefused(ProblemEvent):
    """Nothing will be done about a problem for now, and why."""

    why: str


@frozen(kw_only=True)
class RepairStopped(ProblemEvent):
    """A repair that runs is stopped because of a problem that came up meanwhile, and why.  Then all is decided anew."""

    why: str


@frozen(kw_only=True)
class RepairsHeld(Event):
    """Repairs are held, and why: a meltdown, a pause, another director at work.  Told once, not at every look."""

    why: str


@frozen(kw_only=True)
class RepairsResumed(Event):
    """What held repairs is over."""


@frozen(kw_only=True)
class LookFailed(Event):
    """The cluster could not be looked at, or a repair could not be done.  The monitor goes on."""

    error: str


@frozen(kw_only=True)
class BackupTaken(Event):
    """A backup was taken, read back and made visible: its name, Kubernetes' objects in it, bytes where it lies, how
    long it took, and the names of those that were removed after it.
    """

    backup: str
    objects: int
    bytes: int
    seconds: float
    removed: tuple[str, ...] = ()


@frozen(kw_only=True)
class BackupFailed(Event):
    """A backup could not be taken, or an old one not removed."""

    error: str


Observer = Callable[[Event], None]
