"""The built-in providers, offered through the same door as everybody else's.  Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.builtin.file_credentials.config import FileCredentialsConfig
from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.hosts_config import HostsConfig
from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CredentialStoreProvider, DnsProvider, IngressProvider

if TYPE_CHECKING:
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
            capabilities=("ecdsa-p256", "rsa-2048"),
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


def _connect_file_credentials(config: FileCredentialsConfig, context: ConnectContext) -> CredentialStore:
    from kubo_sdk.builtin.file_credentials.store import connect  # noqa: PLC0415

    return connect(config, context)


def _connect_hosts(_config: HostsConfig, _context: ConnectContext) -> Dns:
    from kubo_sdk.builtin.hosts_dns import HostsDns  # noqa: PLC0415

    return HostsDns()


def _connect_haproxy(config: HaproxyConfig, _context: ConnectContext) -> Ingress:
    from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress  # noqa: PLC0415

    return HaproxyIngress(config)
