"""Translates what SQLite and the file system say into the SDK's errors.  Pure."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kubo_sdk.errors import HostError, KuboError, ProviderError, QuotaExceeded, Unavailable

_PRIMARY_CODE = 0xFF


def translate(error: sqlite3.Error | OSError, path: Path) -> KuboError:
    """The sentence about *error* on the database at *path*."""
    if isinstance(error, OSError):
        where = error.filename or path
        return HostError(f"the credential store cannot use {where}: {error.strerror}; give it a place it may write to")
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(f"another process keeps the credential store {path} locked", retry_after=1)
    if code == sqlite3.SQLITE_FULL:
        return QuotaExceeded(f"the disk is full, so the credential store {path} cannot be written; make room")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return damaged(path)
    return HostError(f"the credential store {path} cannot be used: {error}; check the file, its directory and the disk")


def damaged(path: Path) -> ProviderError:
    """The file is not what SQLite or we wrote."""
    return ProviderError(f"{path} is damaged or is no credential store; restore it from a backup, or name another path")
