"""The hook of this plugin: it offers the ingress ``cfrouting``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, IngressProvider
from kubo_sdk_cfrouting.config import CfRoutingConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.ingress import Ingress


def _connect(config: CfRoutingConfig, context: ConnectContext) -> Ingress:
    from kubo_sdk_cfrouting.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


@hookimpl
def kubo_ingress_providers() -> tuple[IngressProvider, ...]:
    """Offer the routers of Cloud Foundry."""
    return (
        IngressProvider(
            name="cfrouting",
            summary="the API behind Cloud Foundry's TCP routers, and routes to services",
            config=CfRoutingConfig,
            connect=_connect,
            capabilities=("kubernetes_user", "self_registering"),
        ),
    )
