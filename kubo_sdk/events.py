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
class StepStarted(Event):
    step: str
    title: str
    instance: str | None = None


@frozen(kw_only=True)
class StepProgress(Event):
    """A step tells what it is waiting for or doing now."""

    step: str
    message: str
    instance: str | None = None


@frozen(kw_only=True)
class StepRetried(Event):
    step: str
    title: str
    reason: str
    delay: float
    instance: str | None = None


@frozen(kw_only=True)
class StepFinished(Event):
    step: str
    title: str
    seconds: float
    instance: str | None = None


@frozen(kw_only=True)
class StepFailed(Event):
    step: str
    title: str
    error: str
    seconds: float
    instance: str | None = None


@frozen(kw_only=True)
class OperationFinished(Event):
    """The whole operation ended.  ``error`` is empty on success."""

    operation: str
    seconds: float
    error: str = ""


Observer = Callable[[Event], None]
