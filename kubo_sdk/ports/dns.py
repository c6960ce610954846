"""Dns: the records of one zone."""

from __future__ import annotations

from typing import Protocol

from attrs import field, frozen


def _sorted(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(values))


@frozen(kw_only=True, order=True)
class Record:
    """One record set.  ``name`` is fully qualified without a trailing dot, as are names among the ``values``.

    Names compare without regard to case, and the order of values means nothing: two records that differ in no more
    than that are equal.  ``type`` is A, AAAA, CNAME, TXT, SRV or PTR; the core itself asks for A and CNAME.
    ``values`` are written as in a zone file, texts without their quotes.
    """

    name: str = field(eq=str.lower, order=str.lower)
    type: str
    values: tuple[str, ...] = field(eq=_sorted, order=_sorted)
    ttl: int = 60


@frozen(kw_only=True)
class DnsInfo:
    """``publishes``: records live in a server.

    False: names reach machines as files.  The provider is a `NodeContributor` and tells every machine the full name and
    address of every instance, and ``api.<domain>``; the other methods do nothing and list nothing.
    """

    contract: int = 1
    publishes: bool = True


class Dns(Protocol):
    """Deleting what is absent succeeds; other people's records are never touched."""

    def info(self) -> DnsInfo: ...

    def list_records(self) -> tuple[Record, ...]:
        """The records this provider owns for this cluster, whoever connected when they were put; nobody else's."""
        ...

    def put_record(self, record: Record) -> None:
        """Create or replace the record set of that name and type.  Conflict when it is somebody else's."""
        ...

    def delete_record(self, name: str, type: str) -> None:
        """Delete the record set of that name and type.  Somebody else's stays as it is."""
        ...
