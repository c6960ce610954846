"""ClusterStatus: how a cluster is, instance by instance, and how old each word of it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class SourceStatus:
    """What one source says.  ``verdict`` is good, bad or unknown; ``age`` is in seconds."""

    source: str
    verdict: str
    word: str
    age: float = 0.0
    details: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "word": self.word,
            "age_seconds": round(self.age, 1),
            "details": list(self.details),
        }


@frozen(kw_only=True)
class Expiry:
    """When a certificate ends.  ``days`` is negative once it has."""

    credential: str
    at: datetime
    days: int

    def to_dict(self) -> dict[str, Any]:
        return {"credential": self.credential, "at": self.at.isoformat(), "days": self.days}


@frozen(kw_only=True)
class EtcdStatus:
    """How many of etcd's voting members are healthy, and how many it needs."""

    members: int
    healthy: int
    quorum: int

    def to_dict(self) -> dict[str, int]:
        return {"members": self.members, "healthy": self.healthy, "quorum": self.quorum}


@frozen(kw_only=True)
class InstanceStatus:
    """One instance.  ``facts`` says what each source tells: ``machine``, ``shell``, ``units``, ``disk``, ``etcd``,
    ``api``, ``node``; ``sources`` says the same with verdict and age.

    ``paused``: nobody repairs it.  ``stopped``: somebody stopped it on purpose, so it does not make the cluster sick.
    """

    instance: str
    role: str
    state: str
    address: str
    az: str
    healthy: bool
    facts: Mapping[str, str] = field(factory=dict, hash=False)
    sources: tuple[SourceStatus, ...] = ()
    paused: bool = False
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "instance": self.instance,
            "role": self.role,
            "state": self.state,
            "address": self.address,
            "az": self.az,
            "healthy": self.healthy,
            "paused": self.paused,
            "stopped": self.stopped,
            "facts": dict(self.facts),
            "sources": {source.source: source.to_dict() for source in self.sources},
        }


@frozen(kw_only=True)
class ClusterStatus:
    """The whole cluster.  ``verdict`` is one line; ``endpoint`` the URL of the API, empty while there is none.

    ``expires``: the certificate that ends first; ``expiries``: all, that one first, authorities too.  ``rotating``: the
    authorities and keys whose rotation is half done.  ``etcd`` is None while nobody knows.  ``paused``: nobody repairs
    anything.  ``at`` is when it was asked.
    """

    cluster: str
    kubernetes: str
    endpoint: str
    healthy: bool
    verdict: str
    instances: tuple[InstanceStatus, ...]
    at: datetime | None = None
    expires: Expiry | None = None
    expiries: tuple[Expiry, ...] = ()
    rotating: tuple[str, ...] = ()
    etcd: EtcdStatus | None = None
    paused: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "cluster": self.cluster,
            "kubernetes": self.kubernetes,
            "endpoint": self.endpoint,
            "healthy": self.healthy,
            "verdict": self.verdict,
            "at": self.at.isoformat() if self.at else None,
            "paused": self.paused,
            "etcd": self.etcd.to_dict() if self.etcd else None,
            "expires": self.expires.to_dict() if self.expires else None,
            "expiries": [each.to_dict() for each in self.expiries],
            "rotating": list(self.rotating),
            "instances": [each.to_dict() for each in self.instances],
        }
