"""The server's SQLite file: made with everything in it that is to be served, so that no start begins empty.

A disk that takes no more is no reason to be silent: the database then lives in memory, and goes back to the disk later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from kubo_sdk_powerdns.managed.agent.settings import Zone

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
OWNER = "kubo"
# A disk with less room than this is full.
ROOM = 512 * 1024
# What PowerDNS keeps without the dot at the end.
_HOSTS = ("CNAME", "NS", "PTR")


def takes_writes(directory: Path) -> bool:
    """Whether *directory* is there and has room, found out by writing."""
    probe = directory / f".room.{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(bytes(ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return True


def choose(disk: Path, memory: Path, zones: Iterable[Zone]) -> Path:
    """The database to start with: on disk if that takes writes, else in memory with what can still be read."""
    if takes_writes(disk.parent):
        if memory.exists():
            _copy(memory, disk)
            _remove(memory)
        _ensure(disk, zones)
        return disk
    if not memory.exists():
        _copy_bytes(disk, memory)
    _ensure(memory, zones)
    return memory


def is_sound(path: Path) -> bool:
    """Whether it is a database of PowerDNS that can be read to its end."""
    if not path.exists():
        return False
    try:
        with _open(path) as database:
            if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                return False
            database.execute("SELECT count(*) FROM domains, records, comments, domainmetadata WHERE 0").fetchone()
    except sqlite3.Error:
        return False
    return True


def _ensure(path: Path, zones: Iterable[Zone]) -> None:
    """Make the database where there is none that works; one that does not is put aside."""
    if is_sound(path):
        return
    if path.exists():
        with contextlib.suppress(OSError):
            path.replace(f"{path}.broken")
    _remove(path)
    fresh = path.with_name(f"{path.name}.new")
    _remove(fresh)
    with _open(fresh) as database:
        database.executescript(SCHEMA.read_text())
        for zone in zones:
            _insert(database, zone)
        database.commit()
    fresh.replace(path)


def _insert(database: sqlite3.Connection, zone: Zone) -> None:
    name = zone.name.rstrip(".")
    added = database.execute("INSERT INTO domains (name, type, account) VALUES (?, 'NATIVE', ?)", (name, OWNER))
    number = added.lastrowid
    database.execute(
        "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, 'SOA-EDIT-API', 'DEFAULT')", (number,)
    )
    authority = " ".join(word.rstrip(".") for word in zone.start_of_authority.split())
    _insert_record(database, number, (name, "SOA", authority, 60))
    for rrset in zone.rrsets:
        owner = rrset.name.rstrip(".")
        for content in rrset.contents:
            text = content.rstrip(".") if rrset.type in _HOSTS else content
            _insert_record(database, number, (owner, rrset.type, text, rrset.ttl))
        database.execute(
            "INSERT INTO comments (domain_id, name, type, modified_at, account, comment) VALUES (?, ?, ?, 0, ?, ?)",
            (number, owner, rrset.type, OWNER, OWNER),
        )


def _insert_record(database: sqlite3.Connection, zone: int | None, record: tuple[str, str, str, int]) -> None:
    database.execute(
        "INSERT INTO records (domain_id, name, type, content, ttl, prio) VALUES (?, ?, ?, ?, ?, 0)", (zone, *record)
    )


def _copy_bytes(source: Path, target: Path) -> None:
    """With its log, which is read where there is room: a full disk has none to look into the database."""
    for end in ("-wal", "-journal", ""):
        with contextlib.suppress(OSError):
            shutil.copyfile(f"{source}{end}", f"{target}{end}")


def _copy(source: Path, target: Path) -> None:
    """Also what lies in the log beside *source*; *target* is complete or as it was."""
    fresh = target.with_name(f"{target.name}.new")
    _remove(fresh)
    try:
        with _open(source) as old, _open(fresh) as new:
            old.backup(new)
    except sqlite3.Error:
        _remove(fresh)
        return
    _remove(target)
    fresh.replace(target)


def _remove(path: Path) -> None:
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")):
        with contextlib.suppress(OSError):
            name.unlink()


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path)
    try:
        yield database
    finally:
        database.close()
