"""Events: what happened, as frozen values.  An observer never decides the fate of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from kubo_sdk.model.instance import ClusterId


@frozen(kw_only=True)
class Event:
    """Something that happened to *cluster* at *at* (UTC)."""

    cluster: ClusterId
    at: datetime


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
class OperationFinished(Event):
    """The whole operation ended.  ``error`` is empty on success."""

    operation: str
    seconds: float
    error: str = ""


Observer = Callable[[Event], None]
