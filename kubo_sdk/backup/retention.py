"""Which backups are kept: the newest ones, then one for each hour and each day.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from kubo_sdk.backup.names import BackupName, Why
from kubo_sdk.model.backup_spec import KeepSpec


def expired(names: Iterable[BackupName], keep: KeepSpec) -> tuple[BackupName, ...]:
    """The scheduled backups that *keep* keeps no longer, oldest first.

    Hours and days are counted where there is a backup, not by the calendar: a director that was away for months finds
    as many as it left.  The newest of an hour or a day stands for it.  The newest of all is always kept.
    """
    scheduled = sorted((name for name in names if name.why is Why.SCHEDULED), reverse=True)
    kept = {
        *scheduled[: max(keep.latest, 1)],
        *_newest_of(scheduled, keep.hourly, lambda at: at.replace(minute=0, second=0)),
        *_newest_of(scheduled, keep.daily, lambda at: at.replace(hour=0, minute=0, second=0)),
    }
    return tuple(name for name in reversed(scheduled) if name not in kept)


def is_due(names: Iterable[BackupName], every_minutes: int, now: datetime) -> bool:
    """Whether a scheduled backup is to be taken.  A manual one is as good, and one from the future never blocks."""
    newest = max((name.taken_at for name in names if name.taken_at <= now), default=None)
    return newest is None or now - newest >= timedelta(minutes=every_minutes)


def _newest_of(names: list[BackupName], count: int, start: Callable[[datetime], datetime]) -> list[BackupName]:
    """The first of *names*, newest first, in each of the *count* newest spans."""
    found: dict[datetime, BackupName] = {}
    for name in names:
        found.setdefault(start(name.taken_at), name)
    return list(found.values())[:count]
