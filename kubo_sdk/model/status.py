"""ClusterStatus: how a cluster is, instance by instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class InstanceStatus:
    """One instance.  ``facts`` says what each source tells: ``machine``, ``etcd``, ``api``, ``node``."""

    instance: str
    role: str
    state: str
    address: str
    az: str
    healthy: bool
    facts: Mapping[str, str] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class ClusterStatus:
    """The whole cluster.  ``verdict`` is one line; ``endpoint`` the URL of the API, empty while there is none."""

    cluster: str
    kubernetes: str
    endpoint: str
    healthy: bool
    verdict: str
    instances: tuple[InstanceStatus, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "cluster": self.cluster,
            "kubernetes": self.kubernetes,
            "endpoint": self.endpoint,
            "healthy": self.healthy,
            "verdict": self.verdict,
            "instances": [
                {
                    "instance": each.instance,
                    "role": each.role,
                    "state": each.state,
                    "address": each.address,
                    "az": each.az,
                    "healthy": each.healthy,
                    "facts": dict(each.facts),
                }
                for each in self.instances
            ],
        }
