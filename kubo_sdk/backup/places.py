"""Place: where backups lie.  What is being written is hidden until it was read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from attrs import frozen

SUFFIX = ".kubo"


@frozen(kw_only=True)
class Stored:
    """A file that lies there.  ``size`` in bytes."""

    name: str
    size: int


class Writing(Protocol):
    """One file while it is written.  Nobody sees it before `publish`; whoever leaves without leaves nothing."""

    def write(self, data: bytes) -> None: ...

    def read_back(self) -> Iterator[bytes]:
        """What was written, as the place has it.  Nothing is written after that."""
        ...

    def publish(self) -> None:
        """Make it visible under its name, whole."""
        ...


class Place(Protocol):
    """Where the backups of one cluster lie.  ``name`` is what errors call it.

    Raises QuotaExceeded where there is no room, AuthError where one may not, Unavailable where asking again helps, and
    HostError for a directory of this host that cannot be used.
    """

    @property
    def name(self) -> str: ...

    def list(self) -> tuple[Stored, ...]:
        """The visible files.  None, where nothing was ever written."""
        ...

    def write(self, name: str) -> AbstractContextManager[Writing]:
        """Begin a file; what others who were killed have left half written is removed."""
        ...

    def read(self, name: str) -> Iterator[bytes]:
        """A visible file in pieces.  NotFound at the first one."""
        ...

    def delete(self, name: str) -> None:
        """Deleting what is absent succeeds."""
        ...
