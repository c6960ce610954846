"""Journal: history and timing of what was done, in SQLite.  Never the truth: it may be deleted at any time."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kubo_sdk.events import Event
from kubo_sdk.private_files import make_private_directory, make_private_file

if TYPE_CHECKING:
    import sqlite3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
)
"""

log = logging.getLogger(__name__)


def event_to_dict(event: Event) -> dict[str, Any]:
    """The event as JSON-able data: its type under ``event``, its time as ISO 8601."""
    body = attrs.asdict(event, recurse=False)
    return {"event": type(event).__name__, **body, "cluster": str(event.cluster), "at": event.at.isoformat()}


class Journal:
    """An observer that writes every event.  A failure to write is logged and stops nothing."""

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __call__(self, event: Event) -> None:
        import sqlite3  # noqa: PLC0415 - not needed by programs that only plan

        body = event_to_dict(event)
        try:
            with self._lock:
                connection = self._connection or self._open()
                connection.execute(
                    "INSERT INTO events (run, at, kind, body) VALUES (?, ?, ?, ?)",
                    (self._run, body["at"], body["event"], json.dumps(body)),
                )
        except (sqlite3.Error, OSError) as error:
            log.warning("journal %s cannot be written: %s", self._path, error)

    def _open(self) -> sqlite3.Connection:
        import sqlite3  # noqa: PLC0415

        make_private_directory(self._path.parent)
        make_private_file(self._path)
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        # History only: a lost last second costs nothing, an fsync for each event would.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=MEMORY")
        connection.execute(_SCHEMA)
        self._connection = connection
        return connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Every event of the journal at *path*, oldest first; empty when there is none."""
    import sqlite3  # noqa: PLC0415

    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT run, body FROM events ORDER BY id").fetchall()
    return [{"run": run, **json.loads(body)} for run, body in rows]
