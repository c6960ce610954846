"""Dns: the records of one zone."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


@frozen(kw_only=True, order=True)
class Record:
    """One record set.  ``name`` is fully qualified without a trailing dot."""

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int = 60


@frozen(kw_only=True)
class DnsInfo:
    """``publishes``: records live in a server.  False: records reach machines as files (`NodeContributor`)."""

    contract: int = 1
    publishes: bool = True


class Dns(Protocol):
    """Deleting what is absent succeeds; other people's records are never touched."""

    def info(self) -> DnsInfo: ...

    def list_records(self) -> tuple[Record, ...]:
        """The records this provider owns for this cluster."""
        ...

    def put_record(self, record: Record) -> None:
        """Create or replace one record set."""
        ...

    def delete_record(self, name: str, type: str) -> None:
        """Delete one record set."""
        ...
