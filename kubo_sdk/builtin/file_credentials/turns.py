"""Lets the threads of a process take turns at one database.

A process may fork between two turns, and then both go on; not during one, as SQLite counts its locks by process.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from kubo_sdk.builtin.file_credentials.database import Database
from kubo_sdk.builtin.file_credentials.records import Records
from kubo_sdk.builtin.file_credentials.trouble import translate

T = TypeVar("T")


class Turns:
    """A `Database` for everybody.  Raises what the work raises, and the SDK's errors for SQLite's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._process = os.getpid()

    def read(self, work: Callable[[Records | None], T]) -> T:
        """What *work* answers about one snapshot; it gets None when the store holds nothing."""
        with self._turn():
            return self._database.read(work)

    def write(self, work: Callable[[Records], T]) -> T:
        """What *work* answers, once what it changed is on the disk."""
        with self._turn():
            return self._database.write(work)

    def close(self) -> None:
        """Close the database; the next turn opens it again."""
        with self._turn():
            self._database.close()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._process != os.getpid():  # a forked child, which has one thread only
            self._database.abandon()
            self._lock = threading.Lock()
            self._process = os.getpid()
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                raise translate(error, self._database.path) from error
