"""The journal's file: its tables, what older versions left in it, and how much of the past is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kubo_sdk.private_files import make_private_directory, make_private_file

if TYPE_CHECKING:
    import sqlite3

KEPT_TASKS = 200
KEPT_EVENTS = 200_000

_EVENTS = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
)
"""
_EVENTS_INDEX = "CREATE INDEX IF NOT EXISTS events_of_run ON events (run, kind, at)"
# AUTOINCREMENT: a number is never given twice, also when the tasks before it were forgotten.
_TASKS = """
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE, operation TEXT NOT NULL,
    user TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, born TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, result TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT ''
)
"""


def open_journal(path: Path) -> sqlite3.Connection:
    """Open the journal at *path*, made where there is none.  Raises sqlite3.Error and OSError."""
    import sqlite3  # noqa: PLC0415 - not needed by programs that only plan

    make_private_directory(path.parent)
    make_private_file(path)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        # A process killed in the middle of a write leaves a whole file, and readers never wait.  What a crash of the
        # host costs is history only; an fsync for each event would cost more.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        if not _has_tasks(connection):
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def forget_old_tasks(connection: sqlite3.Connection) -> None:
    """Keep the newest tasks and events, as many as the limits above say.  A task goes as a whole."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM tasks WHERE number <= (SELECT MAX(number) FROM tasks) - ?", (KEPT_TASKS,))
    newest = connection.execute("SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?", (KEPT_EVENTS,)).fetchone()
    if newest is not None:
        connection.execute("DELETE FROM tasks WHERE run NOT IN (SELECT run FROM events WHERE id > ?)", newest)
    connection.execute("DELETE FROM events WHERE run NOT IN (SELECT run FROM tasks)")
    connection.execute("COMMIT")


def _has_tasks(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tasks'").fetchone())


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _has_tasks(connection):  # Nobody else was faster.
        connection.execute(_EVENTS)
        connection.execute(_EVENTS_INDEX)
        connection.execute(_TASKS)
        _adopt_runs(connection)
    connection.execute("COMMIT")


def _adopt_runs(connection: sqlite3.Connection) -> None:
    """Number the runs of a journal from before there were tasks.  Who made them it does not know."""
    runs = connection.execute("SELECT run, MIN(at), MAX(at) FROM events GROUP BY run ORDER BY MIN(id)").fetchall()
    for run, started, last in runs:
        told = connection.execute(
            "SELECT kind, body FROM events WHERE run = ? AND kind IN ('PlanMade', 'OperationFinished') ORDER BY id",
            (run,),
        ).fetchall()
        bodies = {kind: json.loads(body) for kind, body in told}
        end = bodies.get("OperationFinished")
        operation = (end or bodies.get("PlanMade") or {}).get("operation", "")
        error = end["error"] if end else ""
        result = "" if end is None else "failed" if error else "done"
        connection.execute(
            "INSERT INTO tasks (run, operation, user, host, pid, born, started, ended, result, error)"
            " VALUES (?, ?, '', '', 0, '', ?, ?, ?, ?)",
            (run, operation, started, last if end else None, result, error),
        )
