"""The database file: made on the first write, removed with the last credential, whoever else works with it.

The rollback journal and not WAL: there are few writes, at rest there is one file and no shared memory, and SQLite
before 3.51.3, which is what stable distributions have, can damage a WAL database when two processes checkpoint at once.
``synchronous=EXTRA`` also syncs the directory, so that a committed journal cannot come back after a power loss.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from kubo_sdk.builtin.file_credentials import rows, schema
from kubo_sdk.builtin.file_credentials.keys import KeySource
from kubo_sdk.builtin.file_credentials.paths import (
    identity,
    locked_directory,
    sync_directory,
)
from kubo_sdk.builtin.file_credentials.records import Records
from kubo_sdk.builtin.file_credentials.schema import Filling
from kubo_sdk.builtin.file_credentials.sealing import Sealer
from kubo_sdk.errors import KuboError, Unavailable
from kubo_sdk.private_files import make_private_directory, make_private_file

BUSY_SECONDS = 10.0
ATTEMPTS = 20
PRAGMAS = ("synchronous = EXTRA", "secure_delete = ON", "temp_store = MEMORY")

T = TypeVar("T")


@define(eq=False)
class Opened:
    """A connection and the file it was opened on.  A file has one key for life, so the sealer is kept."""

    connection: sqlite3.Connection
    identity: tuple[int, int]
    sealer: Sealer | None = field(default=None, repr=False)


class Database:
    """One connection, used by one thread at a time.

    An empty database is a leftover of a deletion or of a killed process: whoever meets one removes it.  So a file is
    never filled again once it was emptied.  SQLite must never meet the journal of another file at its path; therefore
    every transaction holds a shared lock on the directory, and who removes the file an exclusive one.
    """

    def __init__(self, path: Path, keys: KeySource, *, busy_seconds: float) -> None:
        self.path = path
        self._keys = keys
        self._busy_seconds = busy_seconds
        self._opened: Opened | None = None
        self._abandoned: list[Opened] = []

    def read(self, body: Callable[[Records | None], T]) -> T:
        """What *body* answers about one snapshot; None stands for a store that holds nothing."""
        if not self.path.exists():
            return body(None)
        with locked_directory(self.path.parent, exclusive=False):
            opened = self._current()
            if opened is None:
                return body(None)
            with self._transaction(opened, "DEFERRED"):
                if schema.filling(opened.connection, self.path) is Filling.CREDENTIALS:
                    return body(self._records(opened))
        self._remove_leftover()
        return body(None)

    def write(self, body: Callable[[Records], T]) -> T:
        """What *body* answers, committed to the disk.  Nothing of it happened when this raises."""
        make_private_directory(self.path.parent)
        for _ in range(ATTEMPTS):
            try:
                answers, empty = self._write_once(body)
            except KuboError:
                self._remove_leftover()
                raise
            if empty:
                self._remove_leftover()
            if answers:
                return answers[0]
        raise Unavailable(f"other processes keep removing and making the credential store {self.path}")

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._opened is not None:
            self._opened.connection.close()
            self._opened = None

    def abandon(self) -> None:
        """Forget the connection without closing it: in a forked child, closing would undo its parent's transaction."""
        if self._opened is not None:
            self._abandoned.append(self._opened)
            self._opened = None

    def _write_once(self, body: Callable[[Records], T]) -> tuple[list[T], bool]:
        """What *body* answers, or nothing when the file is a leftover; and whether the file is empty now."""
        with locked_directory(self.path.parent, exclusive=False):
            make_private_file(self.path)
            opened = self._current()
            if opened is None:
                return [], False
            with self._transaction(opened, "IMMEDIATE"):
                before = schema.filling(opened.connection, self.path)
                if before is Filling.TABLES:
                    return [], True
                if before is Filling.NOTHING:
                    opened.sealer = schema.initialise(opened.connection, self._keys)
                answers = [body(self._records(opened))]
                empty = rows.is_empty(opened.connection)
            if before is Filling.NOTHING:
                self._keys.commit()
            return answers, empty

    def _remove_leftover(self) -> None:
        """Remove the files unless somebody filled them meanwhile."""
        with locked_directory(self.path.parent, exclusive=True):
            opened = self._current()
            if opened is None:
                return
            with self._transaction(opened, "DEFERRED"):
                found = schema.filling(opened.connection, self.path)
            if found is Filling.CREDENTIALS:
                return
            self.close()
            # The key first: a database without credentials needs none, a key without a database would stay for ever.
            if found is Filling.TABLES:
                self._keys.remove()
            else:
                self._keys.rollback()
            # SQLite leaves the empty journal of a killed process alone; one that is not empty it has played back now.
            self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
            self.path.unlink()
            sync_directory(self.path.parent)

    def _records(self, opened: Opened) -> Records:
        if opened.sealer is None:
            opened.sealer = schema.unlock(opened.connection, self._keys, self.path)
        return Records(opened.connection, opened.sealer, self.path)

    def _current(self) -> Opened | None:
        """A connection to the file that stands at the path now, or None.  The directory is locked."""
        found = identity(self.path)
        if self._opened is None or self._opened.identity != found:
            self.close()
            self._opened = None if found is None else self._connect(found)
        return self._opened

    def _connect(self, found: tuple[int, int]) -> Opened:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,  # the callers take turns
        )
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return Opened(connection=connection, identity=found)

    @contextlib.contextmanager
    def _transaction(self, opened: Opened, kind: str) -> Iterator[None]:
        """Commit at the end; on any trouble roll back and close, so that the next use starts afresh."""
        try:
            opened.connection.execute(f"BEGIN {kind}")
            yield
            opened.connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                opened.connection.rollback()
            self.close()
            raise
