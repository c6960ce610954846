"""Transport: how records get into the server.  Implemented over its HTTP API and over dynamic updates."""

from __future__ import annotations

from typing import Protocol

from kubo_sdk_powerdns.record_set import RecordSet


class Transport(Protocol):
    """Zones are absolute names.  Record set and mark come and go in one transaction, or not at all."""

    def read_zone(self, zone: str) -> tuple[RecordSet, ...]:
        """Everything in the zone; nothing where the server has no such zone."""
        ...

    def put(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        """Create or replace; whether it was ours before.  Conflict when it is not ours to touch."""
        ...

    def delete(self, zone: str, name: str, type: str, mark: RecordSet) -> None:
        """Delete it if *mark* stands beside it; otherwise do nothing."""
        ...

    def __str__(self) -> str:
        """The server, as messages name it."""
        ...
