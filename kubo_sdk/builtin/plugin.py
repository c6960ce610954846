"""The built-in providers, offered through the same door as everybody else's.  Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.builtin.coredns_config import CorednsConfig
from kubo_sdk.builtin.file_credentials.config import FileCredentialsConfig
from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.hosts_config import HostsConfig
from kubo_sdk.builtin.no_cluster_dns import NoClusterDns, NoClusterDnsConfig
from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import (
    ClusterDnsProvider,
    ConnectContext,
    CredentialStoreProvider,
    DnsProvider,
    IngressProvider,
)

if TYPE_CHECKING:
    from kubo_sdk.ports.cluster_dns import ClusterDns
    from kubo_sdk.ports.credentials import CredentialStore
    from kubo_sdk.ports.dns import Dns
    from kubo_sdk.ports.ingress import Ingress


@hookimpl
def kubo_credential_store_providers() -> tuple[CredentialStoreProvider, ...]:
    """The encrypted file."""
    return (
        CredentialStoreProvider(
            name="file",
            summary="credentials sealed in one file on this host",
            config=FileCredentialsConfig,
            connect=_connect_file_credentials,
            capabilities=("ecdsa-p256", "rotates", "rsa-2048"),
        ),
    )


@hookimpl
def kubo_dns_providers() -> tuple[DnsProvider, ...]:
    """The hosts files."""
    return (
        DnsProvider(
            name="hosts",
            summary="names in /etc/hosts of every machine",
            config=HostsConfig,
            connect=_connect_hosts,
        ),
    )


@hookimpl
def kubo_ingress_providers() -> tuple[IngressProvider, ...]:
    """HAProxy on the proxies."""
    return (
        IngressProvider(
            name="haproxy",
            summary="HAProxy on the proxy machines, in front of the API and of node ports",
            config=HaproxyConfig,
            connect=_connect_haproxy,
            capabilities=("runs_on_proxies",),
        ),
    )


@hookimpl
def kubo_cluster_dns_providers() -> tuple[ClusterDnsProvider, ...]:
    """CoreDNS in pods, and nobody."""
    return (
        ClusterDnsProvider(
            name="coredns",
            summary="CoreDNS as a Deployment, from an image the workers pull",
            config=CorednsConfig,
            connect=_connect_coredns,
        ),
        ClusterDnsProvider(
            name="none",
            summary="no cluster DNS; install your own behind the address pods ask",
            config=NoClusterDnsConfig,
            connect=lambda *_: NoClusterDns(),
        ),
    )


def _connect_file_credentials(config: FileCredentialsConfig, context: ConnectContext) -> CredentialStore:
    from kubo_sdk.builtin.file_credentials.store import connect  # noqa: PLC0415

    return connect(config, context)


def _connect_hosts(_config: HostsConfig, _context: ConnectContext) -> Dns:
    from kubo_sdk.builtin.hosts_dns import HostsDns  # noqa: PLC0415

    return HostsDns()


def _connect_haproxy(config: HaproxyConfig, _context: ConnectContext) -> Ingress:
    from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress  # noqa: PLC0415

    return HaproxyIngress(config)


def _connect_coredns(config: CorednsConfig, context: ConnectContext) -> ClusterDns:
    from kubo_sdk.builtin.coredns import Coredns  # noqa: PLC0415

    return Coredns(config, context.spec)
