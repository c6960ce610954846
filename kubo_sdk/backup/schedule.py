"""BackupSchedule: takes a backup whenever one is due, in a thread of its own beside whatever watches the cluster."""

from __future__ import annotations

import contextlib
import logging
import threading
from types import TracebackType

from kubo_sdk.backup.backups import Backups
from kubo_sdk.backup.names import BackupName, Why
from kubo_sdk.backup.retention import is_due
from kubo_sdk.errors import KuboError

log = logging.getLogger(__name__)

# Real seconds between two looks, and after a failure: a full disk or a cluster that is down is not asked all the time.
LOOK_SECONDS = 5.0
FAILED_SECONDS = 60.0


class BackupSchedule:
    """Works as long as the ``with`` lasts; the end waits for a backup that is being taken.

    Whether one is due, the place tells: other directors may take some too.  What fails is told as an event by `Backups`
    and tried again.
    """

    def __init__(self, backups: Backups, *, look: float = LOOK_SECONDS, failed: float = FAILED_SECONDS) -> None:
        self._backups = backups
        self._look, self._failed = look, failed
        self._done = threading.Event()
        self._newest: tuple[BackupName, ...] = ()
        self._thread = threading.Thread(target=self._run, name="kubo-backup-schedule", daemon=True)

    def __enter__(self) -> BackupSchedule:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._done.wait(pause):
            pause = self._look
            try:
                self._take_if_due()
            except KuboError as error:
                log.debug("a scheduled backup failed: %s", error)
                pause = self._failed
            except Exception:
                log.exception("a scheduled backup failed")
                pause = self._failed

    def _take_if_due(self) -> None:
        """The place is asked only when what is known of it is old enough."""
        backups, every = self._backups, self._backups.spec.backup.every_minutes
        if not is_due(self._newest, every, backups.clock.now()):
            return
        self._newest = backups.look()[-1:]
        if is_due(self._newest, every, backups.clock.now()):
            self._newest = (backups.take(Why.SCHEDULED).name,)


def scheduled(backups: Backups | None) -> contextlib.AbstractContextManager[object]:
    """The schedule of *backups*; nothing where there are none or the spec wants none by itself."""
    if backups is None or not backups.spec.backup.every_minutes:
        return contextlib.nullcontext()
    return BackupSchedule(backups)
