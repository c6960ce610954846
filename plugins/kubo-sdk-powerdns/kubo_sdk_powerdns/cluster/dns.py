"""PowerdnsClusterDns: the director's half.  It equips the workers; on each of them a PowerDNS of its own answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_powerdns.cluster.bundle import agent_archive
from kubo_sdk_powerdns.cluster.config import ClusterDnsConfig
from kubo_sdk_powerdns.cluster.manifests import KUBERNETES_USER, manifests
from kubo_sdk_powerdns.cluster.node_files import worker_files


class PowerdnsClusterDns:
    """``build_agent`` makes the file workers run; it is called once, when the first worker needs it."""

    def __init__(self, config: ClusterDnsConfig, spec: ClusterSpec, build_agent: Callable[[], bytes]) -> None:
        self._config = config
        self._address = str(spec.network.dns_service)
        self._build_agent = build_agent

    def info(self) -> ClusterDnsInfo:
        return ClusterDnsInfo(kubernetes_user=KUBERNETES_USER)

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        return manifests(self._address)

    def node_packages(self, role: Role) -> tuple[str, ...]:
        if role is not Role.WORKER:
            return ()
        return ("iproute2", "pdns-backend-remote", "pdns-recursor", "pdns-server", "python3")

    def node_files(self, context: NodeContext) -> Contribution:
        if context.instance.role is not Role.WORKER:
            return Contribution()
        return worker_files(self._config, context, self._agent)

    @cached_property
    def _agent(self) -> bytes:
        return self._build_agent()


def connect(config: ClusterDnsConfig, context: ConnectContext) -> ClusterDns:
    """The cluster DNS of one cluster."""
    return PowerdnsClusterDns(config, context.spec, agent_archive)


_: tuple[type[ClusterDns], type[NodeContributor]] = (PowerdnsClusterDns, PowerdnsClusterDns)
