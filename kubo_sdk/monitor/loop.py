"""Monitor: the loop that looks, decides and repairs, and that no error ends."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Cancelled, KuboError, LeaseHeld
from kubo_sdk.events import Event
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.monitor.telling import Telling
from kubo_sdk.planning.decide import decide
from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import HealthReport
from kubo_sdk.planning.history import History, owner
from kubo_sdk.planning.rungs import patience

log = logging.getLogger(__name__)


class Monitor:
    """Watches one cluster.  *look* reports its health; *repair* does what was decided within so many seconds.

    What it remembers, since when something is wrong and what was tried, ends with it.
    """

    def __init__(
        self,
        *,
        spec: ClusterSpec,
        look: Callable[[], HealthReport],
        repair: Callable[[Decision, float | None], None],
        emit: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._spec = spec
        self._look = look
        self._repair = repair
        self._clock = clock
        self._telling = Telling(spec.id, emit)
        self.history = History()

    def run(self, stop: CancelToken, *, once: bool = False) -> None:
        """Go on until *stop* is set; with *once*, until nothing is wrong that time or a repair may change.

        Only with *once*, the error of a look is raised: nobody would hear of it otherwise.
        """
        while not stop.is_cancelled:
            repaired, settled = self._round(once=once)
            if once and settled:
                return
            if not repaired:
                with contextlib.suppress(Cancelled):
                    stop.sleep(self._clock, self._spec.health.probe_seconds)

    def _round(self, *, once: bool) -> tuple[bool, bool]:
        """One look and what follows: whether something was repaired, and whether nothing more is to be expected."""
        try:
            decision = self.decide()
        except Exception as error:
            self._failed(error)
            if once:
                raise
            return False, False
        if decision.acts:
            return self._act(decision), False
        return False, not any(_is_pending(choice) for choice in decision.choices)

    def decide(self) -> Decision:
        """Look, and say what is to be done now."""
        report = self._look()
        problems = diagnose(report, self._spec)
        self.history = self.history.saw(problems, report).within(self._spec.health.window_seconds, report.at)
        decision = decide(problems, report, self.history, self._spec.health, report.at)
        self._telling.tell(decision, report.at)
        return decision

    def _act(self, decision: Decision) -> bool:
        before, now = self.history, self._clock.now()
        chosen = [(owner(choice.problem), choice.resolution) for choice in decision.acts]
        self.history = before.tried(chosen, now)
        failed = True
        try:
            self._repair(decision, patience(decision, self._spec.health))
            failed = False
            self._telling.go_on(self._clock.now())
        except Cancelled:
            return False
        except LeaseHeld as error:
            # Whatever is wrong, somebody else is at it.
            self.history = before.unseen()
            self._telling.wait_for_another(str(error), self._clock.now())
            return False
        except Exception as error:
            self._failed(error)
        finally:
            self.history = self.history.ended(self._clock.now(), failed=failed)
        return not failed

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, KuboError):
            log.exception("the monitor of cluster %s goes on after an error", self._spec.id, exc_info=error)
        told = str(error) if isinstance(error, KuboError) else f"{type(error).__name__}: {error}"
        self._telling.fail(told, self._clock.now())


def _is_pending(choice: Choice) -> bool:
    return choice.standing is Standing.ACT or (choice.standing is Standing.WAIT and choice.until is not None)
