"""BackupName: when and why a backup was taken, as its name tells: ``20261123T195000Z-scheduled-3f9a``.

What nobody wrote here has no such name, and is neither listed nor ever removed.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum

from attrs import frozen

_NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([a-z]+)-([0-9a-f]{4})")
_TIME = "%Y%m%dT%H%M%SZ"


class Why(StrEnum):
    """Who asked for a backup.  Only ``scheduled`` ones are ever removed."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"


@frozen(kw_only=True, order=True)
class BackupName:
    """Sorts by age, oldest first."""

    taken_at: datetime
    why: Why
    mark: str

    def __str__(self) -> str:
        return f"{self.taken_at.strftime(_TIME)}-{self.why}-{self.mark}"

    @classmethod
    def new(cls, taken_at: datetime, why: Why) -> BackupName:
        """A name of its own for a backup that is taken now."""
        whole = taken_at.astimezone(UTC).replace(microsecond=0)
        return cls(taken_at=whole, why=why, mark=secrets.token_hex(2))

    @classmethod
    def parse(cls, text: str) -> BackupName | None:
        """The name that *text* is; None for everything else."""
        found = _NAME.fullmatch(text)
        if found is None or found[2] not in set(Why):
            return None
        try:
            taken_at = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(taken_at=taken_at, why=Why(found[2]), mark=found[3])
