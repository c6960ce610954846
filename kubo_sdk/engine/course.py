"""Course: how far a plan has come that somebody else runs, and the way to stop it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event, StepFinished
from kubo_sdk.planning.plan import Plan, Step


@define(kw_only=True)
class Course:
    """An observer of one operation, which ends when ``token`` is set.  ``emit`` tells what is said about it.

    Before the plan is made it has no ``steps``.
    """

    token: CancelToken
    emit: Callable[[Event], None]
    steps: tuple[Step, ...] | None = None
    is_stopped: bool = False
    _ended: set[str] = field(factory=set)

    def planned(self, plan: Plan) -> None:
        """This is what will be done."""
        self.steps = plan.steps

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepFinished):
            self._ended.add(event.step)

    @property
    def unfinished(self) -> tuple[Step, ...]:
        """The steps that have not ended well yet."""
        ended = frozenset(self._ended)
        return tuple(step for step in self.steps or () if step.id not in ended)

    def stop(self, event: Event, reason: str) -> None:
        """Tell *event*, and have the operation end between two steps or in its next wait."""
        self.is_stopped = True
        self.emit(event)
        self.token.cancel(reason)
