"""Runner: runs a plan's steps on bounded threads, each as soon as what it needs has ended.

A step that fails with a retryable ProviderError is run again; a step that fails for good stops the start of others,
and what is running ends by itself.  Nothing is undone: every step may be run twice, so running the plan again goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Cancelled, DeployFailed, ProviderError
from kubo_sdk.events import Event, StepEvent, StepFailed, StepFinished, StepRetried, StepStarted
from kubo_sdk.planning.plan import Plan, Step

MAX_THREADS = 32
MAX_ATTEMPTS = 6

Perform = Callable[[Step], None]

log = logging.getLogger(__name__)


class Runner:
    """Runs one plan once."""

    def __init__(
        self, *, perform: Perform, emit: Callable[[Event], None], clock: Clock, cancel: CancelToken, halt: CancelToken
    ) -> None:
        """*cancel* is the user's; *halt*, its child, is what waiting steps listen to: a failed step sets it too."""
        self._perform = perform
        self._emit = emit
        self._clock = clock
        self._cancel = cancel
        self._halt = halt
        self._failures: list[tuple[str, BaseException]] = []

    def run(self, plan: Plan) -> None:
        """Run every step; raises DeployFailed with all failures, or Cancelled."""
        waiting = {step.id: step for step in plan.steps}
        done: set[str] = set()
        running: dict[Future[None], Step] = {}
        with ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="kubo-step") as pool:
            while waiting or running:
                if not self._stopping:
                    for step in self._ready(waiting, done, plan):
                        running[pool.submit(self._attempt, plan, step)] = waiting.pop(step.id)
                if not running:
                    break
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._collect(future, running.pop(future), done)
        if self._failures:
            raise DeployFailed(self._failures)
        self._cancel.check()

    @property
    def _stopping(self) -> bool:
        return bool(self._failures) or self._cancel.is_cancelled

    @staticmethod
    def _ready(waiting: dict[str, Step], done: set[str], plan: Plan) -> list[Step]:
        return [step for step in plan.steps if step.id in waiting and done.issuperset(step.needs)]

    def _collect(self, future: Future[None], step: Step, done: set[str]) -> None:
        error = future.exception()
        if error is None:
            done.add(step.id)
        elif not isinstance(error, Cancelled):
            self._failures.append((step.title, error))
            self._halt.cancel(f"{step.title} failed")

    def _attempt(self, plan: Plan, step: Step) -> None:
        started = self._clock.monotonic()
        self._tell(StepStarted, plan, step)
        try:
            self._retrying(plan, step)
        except BaseException as error:
            seconds = self._clock.monotonic() - started
            self._tell(StepFailed, plan, step, error=str(error) or type(error).__name__, seconds=seconds)
            raise
        self._tell(StepFinished, plan, step, seconds=self._clock.monotonic() - started)

    def _retrying(self, plan: Plan, step: Step) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            self._cancel.check()
            try:
                return self._perform(step)
            except ProviderError as error:
                if error.retry_after is None or attempt == MAX_ATTEMPTS:
                    error.add_note(f"in step: {step.title}")
                    raise
                delay = error.retry_after * 2 ** (attempt - 1)
                self._tell(StepRetried, plan, step, reason=str(error), delay=delay)
                self._halt.wait(delay)
        return None

    def _tell(self, kind: type[StepEvent], plan: Plan, step: Step, **facts: str | float) -> None:
        now = self._clock.now()
        self._emit(kind(cluster=plan.cluster, at=now, step=step.id, title=step.title, instance=step.instance, **facts))
