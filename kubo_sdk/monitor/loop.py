"""Monitor: the loop that looks, decides and repairs, and that no error ends."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.course import Course
from kubo_sdk.errors import Cancelled, KuboError, LeaseHeld
from kubo_sdk.events import Event
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.monitor.lookout import Lookout
from kubo_sdk.monitor.telling import Telling
from kubo_sdk.planning.decide import decide
from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.history import History, owner
from kubo_sdk.planning.impatience import impatient
from kubo_sdk.planning.rungs import patience

# A repair that is stopped again and again gets more and more time in between, at most so many seconds.
MOST_PATIENCE = 60.0

log = logging.getLogger(__name__)


class Monitor:
    """Watches one cluster.  *look* reports its health; *repair* does what was decided within so many seconds, and ends
    early when its course is stopped: meanwhile others go on looking.

    *unfinished*: a repair was cut off.  What that left half done need not look ill (a Node without its labels, a file
    that still names an old address), so once nothing is wrong, it is finished.  Failed repairs leave such things too.

    What it remembers, since when something is wrong and what was tried, ends with it.
    """

    def __init__(
        self,
        *,
        spec: ClusterSpec,
        look: Callable[[], HealthReport],
        repair: Callable[[Decision, float | None, Course], None],
        emit: Callable[[Event], None],
        clock: Clock,
        unfinished: bool = False,
    ) -> None:
        self._unfinished = unfinished
        self._finish_from = clock.monotonic()
        self._paused = False
        self._spec = spec
        self._look = look
        self._repair = repair
        self._clock = clock
        self._emit = emit
        self._stops = 0
        self._nap = CancelToken()
        self._telling = Telling(spec.id, emit)
        self.history = History()

    def run(self, stop: CancelToken, *, once: bool = False) -> None:
        """Go on until *stop* is set; with *once*, until nothing is wrong that time or a repair may change.

        Only with *once*, the error of a look is raised: nobody would hear of it otherwise.
        """
        while not stop.is_cancelled:
            repaired, settled = self._round(stop, once=once)
            if once and settled:
                return
            if not repaired:
                self._nap = stop.child()
                with contextlib.suppress(Cancelled):
                    self._nap.sleep(self._clock, self._spec.health.probe_seconds)

    def wake(self) -> None:
        """Look now, if nothing is being done.  From any thread."""
        self._nap.cancel("something happened")

    def _round(self, stop: CancelToken, *, once: bool) -> tuple[bool, bool]:
        """One look and what follows: whether something was repaired, and whether nothing more is to be expected."""
        try:
            decision = self.decide()
        except Exception as error:
            self._failed(error)
            if once:
                raise
            return False, False
        if decision.acts or self._may_finish(decision):
            return self._act(decision, stop), False
        return False, not any(_is_pending(choice) for choice in decision.choices)

    def _may_finish(self, decision: Decision) -> bool:
        """At most once in ``startup_seconds``."""
        wanted = self._unfinished and not decision.choices and self._spec.health.enabled and not self._paused
        now = self._clock.monotonic()
        if not wanted or now < self._finish_from:
            return False
        self._finish_from = now + self._spec.health.startup_seconds
        return True

    def decide(self) -> Decision:
        """Look, and say what is to be done now."""
        report = impatient(self._look(), self.history, self._spec.health)
        self._paused = report.cluster_paused
        problems = diagnose(report, self._spec)
        self.history = self.history.saw(problems, report).within(self._spec.health.window_seconds, report.at)
        decision = decide(problems, report, self.history, self._spec.health, report.at)
        self._telling.tell(decision, report.at)
        return decision

    def _act(self, decision: Decision, stop: CancelToken) -> bool:
        before, now = self.history, self._clock.now()
        course = Course(token=stop.child(), emit=self._emit)
        lookout = self._lookout(decision, course)
        chosen = [(owner(choice.problem), choice.resolution) for choice in decision.acts]
        self.history = before.tried(chosen, now)
        failed = self._unfinished = True
        try:
            with lookout:
                self._repair(decision, patience(decision, self._spec.health), course)
            failed = self._unfinished = False
            self._telling.go_on(self._clock.now())
        except Cancelled:
            return course.is_stopped
        except LeaseHeld as error:
            # Whatever is wrong, somebody else is at it.
            self.history = before.unseen()
            self._telling.wait_for_another(str(error), self._clock.now())
            return False
        except Exception as error:
            if course.is_stopped:
                log.debug("cluster %s: a repair that was stopped failed: %s", self._spec.id, error)
            else:
                self._failed(error)
                with contextlib.suppress(KuboError):
                    lookout.blame()
        finally:
            self._ended(lookout, failed=failed)
        return course.is_stopped or not failed

    def _lookout(self, decision: Decision, course: Course) -> Lookout:
        return Lookout(
            spec=self._spec,
            look=self._look,
            clock=self._clock,
            telling=self._telling,
            course=course,
            decision=decision,
            history=self.history,
            patience=min(2.0**self._stops, MOST_PATIENCE) if self._stops else 0.0,
        )

    def _ended(self, lookout: Lookout, *, failed: bool) -> None:
        now = self._clock.now()
        if lookout.found and failed:
            self._stops += 1
            self.history = self.history.stopped(now, lookout.found, lookout.history)
        else:
            self._stops = 0
            self.history = self.history.ended(now, failed=failed)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, KuboError):
            log.exception("the monitor of cluster %s goes on after an error", self._spec.id, exc_info=error)
        told = str(error) if isinstance(error, KuboError) else f"{type(error).__name__}: {error}"
        self._telling.fail(told, self._clock.now())


def _is_pending(choice: Choice) -> bool:
    return choice.standing is Standing.ACT or (choice.standing is Standing.WAIT and choice.until is not None)
