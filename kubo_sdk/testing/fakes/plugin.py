"""The plugin of one fake cloud: a provider called ``fake`` for each port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import (
    ClusterDnsProvider,
    CpiProvider,
    CredentialStoreProvider,
    DnsProvider,
    IngressProvider,
    OverlayProvider,
)
from kubo_sdk.testing.fakes.cpi import FakeCpi
from kubo_sdk.testing.fakes.network import FakeClusterDns, FakeDns, FakeIngress, FakeOverlay
from kubo_sdk.testing.fakes.registering import REGISTERING, FakeRegisteringIngress

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud

NAME = "fake"


@frozen(kw_only=True)
class FakeConfig:
    """The fakes take no options: what they are like is said where the cloud is made."""


class FakePlugin:
    """Hand it to `kubo_sdk.Plugins`."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    @hookimpl
    def kubo_cpi_providers(self) -> tuple[CpiProvider, ...]:
        cloud = self._cloud
        shares, stock = cloud.shares_trees, cloud.stock_images
        optional = (("shares_trees",) if shares else ()) + (("stock_images",) if stock else ())
        summary = "machines in memory"
        return (
            CpiProvider(
                name=NAME,
                summary=summary,
                config=FakeConfig,
                connect=lambda *_: FakeCpi(cloud),
                capabilities=("disks", "zones", *optional),
            ),
        )

    @hookimpl
    def kubo_credential_store_providers(self) -> tuple[CredentialStoreProvider, ...]:
        cloud = self._cloud
        return (
            CredentialStoreProvider(
                name=NAME,
                summary="credentials in memory",
                config=FakeConfig,
                connect=lambda *_: cloud.store,
                capabilities=(*cloud.store.info().key_algorithms, "rotates"),
            ),
        )

    @hookimpl
    def kubo_dns_providers(self) -> tuple[DnsProvider, ...]:
        cloud = self._cloud
        return (
            DnsProvider(
                name=NAME,
                summary="names in memory",
                config=FakeConfig,
                connect=lambda _, context: FakeDns(cloud.site(context.spec.id)),
                capabilities=("publishes",),
            ),
        )

    @hookimpl
    def kubo_overlay_providers(self) -> tuple[OverlayProvider, ...]:
        cloud = self._cloud
        flags = ("node_cidrs",) if cloud.node_cidrs else ("etcd",)
        return (
            OverlayProvider(
                name=NAME,
                summary="a pod network nobody uses",
                config=FakeConfig,
                connect=lambda *_: FakeOverlay(cloud),
                capabilities=flags,
            ),
        )

    @hookimpl
    def kubo_ingress_providers(self) -> tuple[IngressProvider, ...]:
        cloud = self._cloud
        return (
            IngressProvider(
                name=NAME,
                summary="a load balancer in memory",
                config=FakeConfig,
                connect=lambda _, context: FakeIngress(cloud.site(context.spec.id)),
            ),
            IngressProvider(
                name=REGISTERING,
                summary="a router in memory that masters register themselves with",
                config=FakeConfig,
                connect=lambda _, context: FakeRegisteringIngress(cloud.site(context.spec.id)),
                capabilities=("kubernetes_user", "self_registering"),
            ),
        )

    @hookimpl
    def kubo_cluster_dns_providers(self) -> tuple[ClusterDnsProvider, ...]:
        return (
            ClusterDnsProvider(
                name=NAME,
                summary="answers nobody",
                config=FakeConfig,
                connect=lambda *_: FakeClusterDns(),
                capabilities=("kubernetes_user",),
            ),
        )
