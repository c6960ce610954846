"""LeaseRecord: what a Lease object says, and how it is read and written so that of two writers one is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from kubo_sdk.clients.kubernetes import KubernetesClient, Object
from kubo_sdk.errors import NotFound

API_VERSION = "coordination.k8s.io/v1"
NAMESPACE = "kube-system"
NAME = "kubo-director"
PATH = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/leases/{NAME}"
OPERATION = "kubo/operation"


@frozen(kw_only=True)
class LeaseRecord:
    """``holder`` is empty when nobody has the lease; ``version`` names the state of the object that was read.

    The times are those of the holder's clock.  An empty ``version`` is an object that is not there yet.
    """

    holder: str
    operation: str
    seconds: float
    acquired: datetime | None
    renewed: datetime | None
    transitions: int
    version: str = ""

    @property
    def age(self) -> float:
        """For how many seconds the holder had it when it last said so, by its own clock."""
        if self.acquired is None or self.renewed is None:
            return 0.0
        return max(0.0, (self.renewed - self.acquired).total_seconds())


def read_lease(client: KubernetesClient) -> LeaseRecord | None:
    """The director's lease; None when nobody ever had one."""
    try:
        return _record(client.get(PATH))
    except NotFound:
        return None


def write_lease(client: KubernetesClient, record: LeaseRecord) -> LeaseRecord:
    """Write *record* over the state it was read from.  Conflict when somebody else wrote meanwhile."""
    item = _item(record)
    return _record(client.replace(item) if record.version else client.create(item))


def _item(record: LeaseRecord) -> Object:
    metadata: dict[str, Any] = {"name": NAME, "namespace": NAMESPACE, "annotations": {OPERATION: record.operation}}
    if record.version:
        metadata["resourceVersion"] = record.version
    spec: dict[str, Any] = {
        "leaseDurationSeconds": max(1, round(record.seconds)),
        "acquireTime": _text(record.acquired),
        "renewTime": _text(record.renewed),
        "leaseTransitions": record.transitions,
    }
    if record.holder:  # Newer API servers take no empty name.
        spec["holderIdentity"] = record.holder
    return {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": spec}


def _record(item: Object) -> LeaseRecord:
    metadata, spec = item["metadata"], item.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        operation=(metadata.get("annotations") or {}).get(OPERATION, ""),
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        acquired=_time(spec.get("acquireTime")),
        renewed=_time(spec.get("renewTime")),
        transitions=int(spec.get("leaseTransitions") or 0),
        version=str(metadata.get("resourceVersion") or ""),
    )


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
