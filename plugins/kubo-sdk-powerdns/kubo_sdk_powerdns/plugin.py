"""The hooks of this plugin, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ClusterDnsProvider, ConnectContext, DnsProvider
from kubo_sdk_powerdns.cluster.config import ClusterDnsConfig
from kubo_sdk_powerdns.config import PowerdnsConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.cluster_dns import ClusterDns
    from kubo_sdk.ports.dns import Dns


@hookimpl
def kubo_dns_providers() -> Iterable[DnsProvider]:
    return (
        DnsProvider(
            name="powerdns",
            summary="names in a PowerDNS server: one that is there already, or one in the cluster's own machines",
            config=PowerdnsConfig,
            connect=_connect,
            capabilities=("publishes",),
        ),
    )


@hookimpl
def kubo_cluster_dns_providers() -> Iterable[ClusterDnsProvider]:
    return (
        ClusterDnsProvider(
            name="powerdns",
            summary="a PowerDNS on every worker that answers its pods, without any image",
            config=ClusterDnsConfig,
            connect=_connect_cluster_dns,
            capabilities=("kubernetes_user",),
        ),
    )


def _connect(config: PowerdnsConfig, context: ConnectContext) -> Dns:
    """Heavy imports happen here, so that a plugin that is not chosen costs nothing."""
    if config.managed:
        from kubo_sdk_powerdns.managed import connect as connect_managed  # noqa: PLC0415

        return connect_managed(config, context)
    from kubo_sdk_powerdns.connect import connect  # noqa: PLC0415

    return connect(config, context)


def _connect_cluster_dns(config: ClusterDnsConfig, context: ConnectContext) -> ClusterDns:
    from kubo_sdk_powerdns.cluster.dns import connect  # noqa: PLC0415

    return connect(config, context)
