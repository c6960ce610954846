"""Journal: history and timing of what was done, in SQLite, one task for each operation.  It may be deleted at any time.

Never the truth.  One hint is taken from it: that the last repair was cut off, so the next looks for what that left half
done.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubo_sdk.engine.journal_file import forget_old_tasks, open_journal
from kubo_sdk.engine.process import this_process
from kubo_sdk.events import Event
from kubo_sdk.planning.plan import Plan

if TYPE_CHECKING:
    import sqlite3

PLAN = "Plan"

log = logging.getLogger(__name__)


class Journal:
    """An observer that writes every event of one operation.  A failure to write is logged and stops nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def begin(self, operation: str, at: datetime) -> None:
        """Open the file and a task in it."""
        who = this_process()
        row = (self._run, operation, who.user, who.host, who.pid, who.born, at.isoformat())

        def write() -> None:
            self._connection = open_journal(self._path)
            forget_old_tasks(self._connection)
            self._connection.execute(
                "INSERT INTO tasks (run, operation, user, host, pid, born, started) VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )

        self._guarded(write)

    def planned(self, plan: Plan, at: datetime) -> None:
        """Write down what is about to be done and why."""
        self._write({"event": PLAN, "at": at.isoformat(), **plan.to_dict()})

    def __call__(self, event: Event) -> None:
        self._write(event.to_dict())

    def end(self, result: str, error: str, at: datetime) -> None:
        """Close the task, and the file."""

        def write() -> None:
            assert self._connection is not None, "it began"
            self._connection.execute(
                "UPDATE tasks SET ended = ?, result = ?, error = ? WHERE run = ?",
                (at.isoformat(), result, error, self._run),
            )

        if self._connection is not None:
            self._guarded(write)
        self.close()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write(self, body: dict[str, Any]) -> None:
        row = (self._run, body["at"], body["event"], json.dumps(body, default=str))

        def write() -> None:
            if self._connection is not None:
                self._connection.execute("INSERT INTO events (run, at, kind, body) VALUES (?, ?, ?, ?)", row)

        self._guarded(write)

    def _guarded(self, write: Callable[[], None]) -> None:
        import sqlite3  # noqa: PLC0415

        try:
            with self._lock:
                write()
        except (sqlite3.Error, OSError) as error:
            log.warning("journal %s cannot be written: %s", self._path, error)
