"""What the core lends to providers of the running cluster: its etcd."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


@frozen(kw_only=True)
class KeyValue:
    key: str
    value: bytes
    mod_revision: int


class Etcd(Protocol):
    """The cluster's etcd, spoken to directly with the director's own certificate."""

    def get(self, key: str) -> KeyValue | None: ...

    def list(self, prefix: str) -> tuple[KeyValue, ...]: ...

    def put(self, key: str, value: bytes) -> None: ...

    def delete(self, key: str) -> None: ...
