"""Manifest: what a backup says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import asdict, frozen


@frozen(kw_only=True)
class Manifest:
    """``cluster`` is ``director/name``.  ``revision`` is etcd's, and ``objects`` how many keys Kubernetes had, when the
    snapshot began.  ``snapshot_bytes`` and ``snapshot_sha256`` are those of the snapshot with etcd's own digest at its
    end.
    """

    cluster: str
    taken_at: datetime
    kubernetes_version: str
    etcd_version: str
    revision: int
    objects: int
    snapshot_bytes: int = 0
    snapshot_sha256: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "taken_at": self.taken_at.isoformat()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Manifest:
        """What `to_dict` gave.  KeyError, ValueError or TypeError for anything else; keys that are new are left out."""
        return cls(
            cluster=str(told["cluster"]),
            taken_at=datetime.fromisoformat(told["taken_at"]),
            kubernetes_version=str(told["kubernetes_version"]),
            etcd_version=str(told["etcd_version"]),
            revision=int(told["revision"]),
            objects=int(told["objects"]),
            snapshot_bytes=int(told["snapshot_bytes"]),
            snapshot_sha256=str(told["snapshot_sha256"]),
        )
