"""The hook of this plugin, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.errors import ConfigError
from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.ports.providers import ConnectContext, OverlayProvider
from kubo_sdk_flannel.config import FlannelConfig, network_problem


@hookimpl
def kubo_overlay_providers() -> Iterable[OverlayProvider]:
    return (
        OverlayProvider(
            name="flannel",
            summary="pod network in flannel's own protocol, leases in etcd or on Nodes, over VXLAN or host routes",
            config=FlannelConfig,
            connect=_connect,
            capabilities=("etcd", "kubernetes_user", "node_cidrs"),
        ),
    )


def _connect(config: FlannelConfig, context: ConnectContext) -> Overlay:
    from kubo_sdk_flannel.bundle import agent_archive  # noqa: PLC0415  only a connected overlay needs them
    from kubo_sdk_flannel.overlay import FlannelOverlay  # noqa: PLC0415

    problem = network_problem(config, context.spec.network.pods)
    if problem is not None:
        raise ConfigError([problem])
    cache = context.cache_dir / "flannel"
    return FlannelOverlay(config, context.spec.network.pods, lambda: agent_archive(cache))
