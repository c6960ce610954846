"""Runner: runs a plan's steps on bounded threads, each as soon as what it needs has ended.

A step that fails with a retryable ProviderError is run again; a step that fails for good stops the start of others,
and what is running ends by itself.  Nothing is undone: every step may be run twice, so running the plan again goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from heapq import heappop, heappush

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Cancelled, DeployFailed, ProviderError
from kubo_sdk.events import Event, StepEvent, StepFailed, StepFinished, StepRetried, StepStarted
from kubo_sdk.planning.plan import Plan, Step

MAX_THREADS = 32
MAX_ATTEMPTS = 6

Perform = Callable[[Step], None]

log = logging.getLogger(__name__)


class _Queue:
    """The steps that may start, first those that stand first in the plan.  The work is linear in steps and needs."""

    def __init__(self, plan: Plan) -> None:
        self._place = {step.id: place for place, step in enumerate(plan.steps)}
        self._steps = plan.steps
        self._open = {step.id: len(set(step.needs)) for step in plan.steps}
        self._waiting: dict[str, list[str]] = {}
        for step in plan.steps:
            for need in set(step.needs):
                self._waiting.setdefault(need, []).append(step.id)
        self._ready = [place for place, step in enumerate(plan.steps) if not step.needs]

    def take(self, most: int) -> list[Step]:
        """At most *most* steps that may start now."""
        return [self._steps[heappop(self._ready)] for _ in range(min(most, len(self._ready)))]

    def done(self, step: Step) -> None:
        """Let what waited for nothing but *step* start."""
        for waiting in self._waiting.pop(step.id, ()):
            self._open[waiting] -= 1
            if not self._open[waiting]:
                heappush(self._ready, self._place[waiting])


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
        queue = _Queue(plan)
        running: dict[Future[None], Step] = {}
        with ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="kubo-step") as pool:
            while True:
                if not self._stopping:
                    # No more than there are threads, so that waiting for the first to end stays cheap.
                    for step in queue.take(MAX_THREADS - len(running)):
                        running[pool.submit(self._attempt, plan, step)] = step
                if not running:
                    break
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._collect(future, running.pop(future), queue)
        if self._failures:
            raise DeployFailed(self._failures)
        self._cancel.check()

    @property
    def _stopping(self) -> bool:
        return bool(self._failures) or self._cancel.is_cancelled

    def _collect(self, future: Future[None], step: Step, queue: _Queue) -> None:
        error = future.exception()
        if error is None:
            queue.done(step)
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
                self._halt.sleep(self._clock, delay)
        return None

    def _tell(self, kind: type[StepEvent], plan: Plan, step: Step, **facts: str | float) -> None:
        now = self._clock.now()
        self._emit(kind(cluster=plan.cluster, at=now, step=step.id, title=step.title, instance=step.instance, **facts))
