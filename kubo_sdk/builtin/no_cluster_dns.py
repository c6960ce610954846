"""NoClusterDns: nobody answers pods, until somebody installs a DNS of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo


@frozen(kw_only=True)
class NoClusterDnsConfig:
    """The cluster DNS ``none`` has no options."""


class NoClusterDns:
    """The kubelets still tell every pod to ask ``spec.network.dns_service``."""

    def info(self) -> ClusterDnsInfo:
        return ClusterDnsInfo()

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        return ()


_: type[ClusterDns] = NoClusterDns
