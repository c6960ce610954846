"""The hooks of this plugin: it offers the CPI ``libcloud`` and the ingress ``libcloud-lb``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CpiProvider, IngressProvider
from kubo_sdk_libcloud.balancing.config import BalancingConfig
from kubo_sdk_libcloud.config import LibcloudConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.cpi import DiskCpi
    from kubo_sdk.ports.ingress import Ingress


def _connect(config: LibcloudConfig, context: ConnectContext) -> DiskCpi:
    from kubo_sdk_libcloud.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


def _connect_balancing(config: BalancingConfig, context: ConnectContext) -> Ingress:
    from kubo_sdk_libcloud.balancing.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


@hookimpl
def kubo_cpi_providers() -> tuple[CpiProvider, ...]:
    """Offer machines of a cloud."""
    return (
        CpiProvider(
            name="libcloud",
            summary="machines of a cloud that apache-libcloud speaks to, entered by SSH",
            config=LibcloudConfig,
            connect=_connect,
            capabilities=("disks", "stock_images", "zones"),
        ),
    )


@hookimpl
def kubo_ingress_providers() -> tuple[IngressProvider, ...]:
    """Offer load balancers of a cloud."""
    return (
        IngressProvider(
            name="libcloud-lb",
            summary="the cloud's own load balancers in front of masters and workers",
            config=BalancingConfig,
            connect=_connect_balancing,
        ),
    )
