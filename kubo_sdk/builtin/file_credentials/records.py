"""The credentials within one transaction: rows with their seals opened and closed."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from attrs import evolve, frozen

from kubo_sdk.builtin.file_credentials import rows
from kubo_sdk.builtin.file_credentials.payload import Payload, decode, encode
from kubo_sdk.builtin.file_credentials.rows import Row
from kubo_sdk.builtin.file_credentials.sealing import SealBroken, Sealer
from kubo_sdk.errors import ProviderError
from kubo_sdk.ports.credentials import Credential, CredentialSummary, Kind


@frozen(kw_only=True)
class Record:
    """One version: the credential and what it was made from."""

    row: Row
    credential: Credential
    payload: Payload


class Records:
    """What one transaction sees and changes."""

    def __init__(self, connection: sqlite3.Connection, sealer: Sealer, path: Path) -> None:
        self._connection = connection
        self._sealer = sealer
        self._path = path

    def holds(self, name: str) -> bool:
        """Whether there is any version of *name*, even one that does not open."""
        return rows.holds(self._connection, name)

    def newest(self, name: str) -> Record | None:
        """The newest version of *name* but a transitional one."""
        with self._undamaged(name):
            row = rows.newest(self._connection, name)
            found = None if row is None else self._open(row)
        if found is None or not found.payload.transitional:
            return found
        return next((record for record in self.versions(name) if not record.payload.transitional), found)

    def versions(self, name: str) -> tuple[Record, ...]:
        """Every version of *name*, newest first."""
        with self._undamaged(name):
            return tuple(self._open(row) for row in rows.versions(self._connection, name))

    def below(self, prefix: str) -> tuple[CredentialSummary, ...]:
        """The newest version of every name that begins with *prefix*."""
        with self._undamaged(prefix):
            return tuple(row.summary for row in rows.newest_below(self._connection, prefix))

    def add(self, name: str, kind: Kind, payload: Payload, *, now: datetime, expires_at: datetime | None) -> Record:
        """Store a new version.  A name keeps the case it was first written in."""
        with self._undamaged(name):
            first = rows.newest(self._connection, name)
        row = Row(
            sequence=rows.next_sequence(self._connection),
            name=name if first is None else first.name,
            kind=kind,
            version=str(uuid.uuid4()),
            created_at=now,
            expires_at=expires_at,
        )
        rows.insert(self._connection, row, self._sealer.seal(encode(payload), row.bound))
        return Record(row=row, credential=_credential(row, payload), payload=payload)

    def mark(self, record: Record, *, transitional: bool) -> None:
        """Keep that version as transitional, or as one like every other."""
        payload = evolve(record.payload, transitional=transitional)
        rows.seal_anew(self._connection, record.row.sequence, self._sealer.seal(encode(payload), record.row.bound))

    def delete_version(self, record: Record) -> None:
        """Delete that version alone."""
        rows.delete_version(self._connection, record.row.sequence)

    def delete(self, name: str) -> None:
        """Delete every version of *name*."""
        rows.delete(self._connection, name)

    def _open(self, row: Row) -> Record:
        payload = decode(row.kind, self._sealer.open(row.sealed, row.bound))
        return Record(row=row, credential=_credential(row, payload), payload=payload)

    @contextlib.contextmanager
    def _undamaged(self, name: str) -> Iterator[None]:
        """The key is right, so what does not open was altered or decayed."""
        try:
            yield
        except (SealBroken, ValueError, TypeError, KeyError):
            raise ProviderError(
                f"the credential {name} in {self._path} was altered or is damaged; restore the file from a backup"
            ) from None


def _credential(row: Row, payload: Payload) -> Credential:
    return Credential(
        name=row.name,
        kind=row.kind,
        version=row.version,
        created_at=row.created_at,
        expires_at=row.expires_at,
        value=payload.value,
        generated=payload.parameters is not None,
        transitional=payload.transitional,
    )
