"""Operation: one deploy or delete from lease to end.  Holds the lease, keeps the journal, tells the observers."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import field, frozen

from kubo_sdk.engine.cancel import CancellableClock, CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.journal import Journal
from kubo_sdk.engine.lease import file_lease
from kubo_sdk.engine.runner import Runner
from kubo_sdk.errors import HostError
from kubo_sdk.events import Event, Observer, OperationFinished, PlanMade, StepProgress
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.plan import Plan, Step
from kubo_sdk.private_files import make_private_directory
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.context import RunState, StepContext
from kubo_sdk.steps.perform import perform

LEASE = "lease"
JOURNAL = "journal.db"

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Operation:
    """Everything a run needs, gathered once.  ``place`` is the SDK's directory of this cluster."""

    name: str
    spec: ClusterSpec
    providers: Providers
    releases: ReleaseSource
    place: Path
    clock: Clock
    cancel: CancelToken
    observers: Sequence[Observer]
    _journal: list[Journal] = field(factory=list, init=False, repr=False)

    @contextlib.contextmanager
    def leased(self) -> Iterator[None]:
        """Hold the cluster's lease and keep its journal while the block runs."""
        try:
            make_private_directory(self.place)
        except OSError as error:
            raise HostError(f"{self.place} cannot be made: {error.strerror}; choose another state directory") from None
        with file_lease(self.place / LEASE, self.spec.id, self.name, self.clock):
            journal = Journal(self.place / JOURNAL, uuid.uuid4().hex)
            self._journal.append(journal)
            started = self.clock.monotonic()
            try:
                yield
            except BaseException as error:
                self._finished(started, str(error) or type(error).__name__)
                raise
            else:
                self._finished(started, "")
            finally:
                self._journal.clear()
                journal.close()

    def run(self, plan: Plan, state: RunState) -> None:
        """Run *plan*; raises DeployFailed or Cancelled."""
        self.emit(PlanMade(cluster=self.spec.id, at=self.clock.now(), operation=plan.operation, steps=len(plan.steps)))
        halt = self.cancel.child()
        runner = Runner(
            perform=lambda step: perform(self._context(state, halt, step), step),
            emit=self.emit,
            clock=self.clock,
            cancel=self.cancel,
            halt=halt,
        )
        runner.run(plan)

    def emit(self, event: Event) -> None:
        """Tell the journal and every observer.  What an observer raises is logged and changes nothing."""
        observers: list[Callable[[Event], None]] = [*self._journal, *self.observers]
        for observer in observers:
            try:
                observer(event)
            except Exception:
                log.exception("observer %r failed on %s of cluster %s", observer, type(event).__name__, self.spec.id)

    def _context(self, state: RunState, halt: CancelToken, step: Step) -> StepContext:
        def say(message: str) -> None:
            self.emit(
                StepProgress(
                    cluster=self.spec.id,
                    at=self.clock.now(),
                    step=step.id,
                    title=step.title,
                    message=message,
                    instance=step.instance,
                )
            )

        return StepContext(
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            state=state,
            clock=CancellableClock(self.clock, halt),
            say=say,
        )

    def _finished(self, started: float, error: str) -> None:
        self.emit(
            OperationFinished(
                cluster=self.spec.id,
                at=self.clock.now(),
                operation=self.name,
                seconds=self.clock.monotonic() - started,
                error=error,
            )
        )
