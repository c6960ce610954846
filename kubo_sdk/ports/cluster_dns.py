"""ClusterDns: who answers the names pods ask for.  It works in pods, or on the nodes (`NodeContributor`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import frozen


@frozen(kw_only=True)
class ClusterDnsInfo:
    """What the cluster DNS needs of the cluster.

    ``kubernetes_user``: the name it has towards the API on every worker (certificate ``cluster-dns-SLUG`` of the
    cluster's CA), bound by its `manifests`; None where nothing of it runs on the machines themselves.
    """

    contract: int = 1
    kubernetes_user: str | None = None


class ClusterDns(Protocol):
    """Every pod asks the tenth address of the service range (``spec.network.dns_service``), port 53, UDP and TCP."""

    def info(self) -> ClusterDnsInfo: ...

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        """Kubernetes objects it needs, applied once the API answers.

        Always the same, each with apiVersion, kind and a name of its own; they bind no user but ``kubernetes_user``.
        """
        ...
