"""The statements: one row for each version of each credential.  Knows nothing of secrets."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from attrs import field, frozen

from kubo_sdk.ports.credentials import CredentialSummary, Kind

# Larger sequence, newer version: a clock may run backwards, this does not.  Names are ASCII, so NOCASE folds them all.
CREATE = """
CREATE TABLE credential (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL,
    version TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    sealed BLOB NOT NULL
)
"""
CREATE_INDEX = "CREATE UNIQUE INDEX credential_by_name ON credential (name, sequence)"

_COLUMNS = "sequence, name, kind, version, created_at, expires_at"


@frozen(kw_only=True)
class Row:
    """One version as it is stored, without what is sealed."""

    sequence: int
    name: str
    kind: Kind
    version: str
    created_at: datetime
    expires_at: datetime | None = None
    sealed: bytes = field(default=b"", repr=False)

    @property
    def bound(self) -> bytes:
        """All the open columns as bytes.  The seal covers them, so no row can take another's place."""
        parts = (self.sequence, self.name, self.kind, self.version, str(self.created_at), str(self.expires_at))
        return json.dumps(["kubo-file-credentials-1", *parts]).encode()

    @property
    def summary(self) -> CredentialSummary:
        return CredentialSummary(
            name=self.name,
            kind=self.kind,
            version=self.version,
            created_at=self.created_at,
            expires_at=self.expires_at,
        )


def holds(connection: sqlite3.Connection, name: str) -> bool:
    """Whether there is any version."""
    return connection.execute("SELECT 1 FROM credential WHERE name = ? LIMIT 1", (name,)).fetchone() is not None


def newest(connection: sqlite3.Connection, name: str) -> Row | None:
    """The newest version."""
    found = connection.execute(
        f"SELECT {_COLUMNS}, sealed FROM credential WHERE name = ? ORDER BY sequence DESC LIMIT 1",  # noqa: S608
        (name,),
    ).fetchone()
    return None if found is None else _row(found)


def versions(connection: sqlite3.Connection, name: str) -> list[Row]:
    """Every version, newest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS}, sealed FROM credential WHERE name = ? ORDER BY sequence DESC",  # noqa: S608
        (name,),
    )
    return [_row(each) for each in found]


def newest_below(connection: sqlite3.Connection, prefix: str) -> list[Row]:
    """The newest version of every name that begins with *prefix* (which ends in a slash), by name, nothing sealed."""
    found = connection.execute(
        f"SELECT {_COLUMNS}, x'' FROM credential WHERE sequence IN "  # noqa: S608
        "(SELECT MAX(sequence) FROM credential WHERE name >= ? AND name < ? GROUP BY name) ORDER BY name",
        (prefix, prefix[:-1] + chr(ord("/") + 1)),
    )
    return [_row(each) for each in found]


def next_sequence(connection: sqlite3.Connection) -> int:
    """The sequence of the next version; ask within the transaction that inserts it."""
    return int(connection.execute("SELECT COALESCE(MAX(sequence), 0) + 1 FROM credential").fetchone()[0])


def insert(connection: sqlite3.Connection, row: Row, sealed: bytes) -> None:
    connection.execute(
        f"INSERT INTO credential ({_COLUMNS}, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            row.sequence,
            row.name,
            row.kind.value,
            row.version,
            row.created_at.isoformat(),
            row.expires_at and row.expires_at.isoformat(),
            sealed,
        ),
    )


def delete(connection: sqlite3.Connection, name: str) -> None:
    """Delete every version."""
    connection.execute("DELETE FROM credential WHERE name = ?", (name,))


def seal_anew(connection: sqlite3.Connection, sequence: int, sealed: bytes) -> None:
    """Replace what one version keeps sealed."""
    connection.execute("UPDATE credential SET sealed = ? WHERE sequence = ?", (sealed, sequence))


def delete_version(connection: sqlite3.Connection, sequence: int) -> None:
    """Delete one version."""
    connection.execute("DELETE FROM credential WHERE sequence = ?", (sequence,))


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is no credential at all."""
    return connection.execute("SELECT 1 FROM credential LIMIT 1").fetchone() is None


def _row(found: tuple[int, str, str, str, str, str | None, bytes]) -> Row:
    sequence, name, kind, version, created_at, expires_at, sealed = found
    return Row(
        sequence=sequence,
        name=name,
        kind=Kind(kind),
        version=version,
        created_at=datetime.fromisoformat(created_at),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        sealed=sealed,
    )
