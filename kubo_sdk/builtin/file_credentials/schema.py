"""What stands in the database beside the credentials: whose it is, and how its key is known."""

from __future__ import annotations

import sqlite3
from enum import Enum
from pathlib import Path

from kubo_sdk.builtin.file_credentials import rows
from kubo_sdk.builtin.file_credentials.keys import KeySource
from kubo_sdk.builtin.file_credentials.sealing import SealBroken, Sealer
from kubo_sdk.builtin.file_credentials.trouble import damaged
from kubo_sdk.errors import AuthError, ProviderError
from kubo_sdk.model.secret import Secret

APPLICATION_ID = 0x6B75626F  # "kubo", where file(1) looks for it
FORMAT = 1

_CREATE_KEY = "CREATE TABLE key (kind TEXT NOT NULL, salt BLOB NOT NULL, sample BLOB NOT NULL)"
_SAMPLE = Secret("this opens with the right key only")
_SAMPLE_BOUND = b"kubo-file-credentials-1-key"


class Filling(Enum):
    """How much a database holds."""

    NOTHING = "no tables"
    TABLES = "tables but no credential"
    CREDENTIALS = "credentials"


def filling(connection: sqlite3.Connection, path: Path) -> Filling:
    """How much is there; ProviderError when it is not ours or newer than we are."""
    if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
        return Filling.NOTHING
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise damaged(path)
    if _pragma(connection, "user_version") > FORMAT:
        raise ProviderError(f"{path} was written by a newer release; update kubo-sdk")
    return Filling.TABLES if rows.is_empty(connection) else Filling.CREDENTIALS


def initialise(connection: sqlite3.Connection, keys: KeySource) -> Sealer:
    """Make the tables and the key."""
    salt = keys.make_salt()
    sealer = Sealer(keys.make(salt))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute(rows.CREATE)
    connection.execute(rows.CREATE_INDEX)
    connection.execute(_CREATE_KEY)
    sample = sealer.seal(_SAMPLE, _SAMPLE_BOUND)
    connection.execute("INSERT INTO key (kind, salt, sample) VALUES (?, ?, ?)", (keys.kind, salt, sample))
    return sealer


def unlock(connection: sqlite3.Connection, keys: KeySource, path: Path) -> Sealer:
    """The right key, or AuthError."""
    found = connection.execute("SELECT kind, salt, sample FROM key").fetchone()
    if found is None:
        raise damaged(path)
    kind, salt, sample = found
    if kind != keys.kind:
        remedy = "name its variable in key_env" if kind == "passphrase" else "name the file in key_file, not key_env"
        raise AuthError(f"the credential store {path} is sealed with a {kind}; {remedy}")
    sealer = Sealer(keys.load(salt))
    try:
        sealer.open(sample, _SAMPLE_BOUND)
    except SealBroken:
        raise AuthError(
            f"{keys.name} does not open the credential store {path}; give the key it was made with"
        ) from None
    return sealer


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
