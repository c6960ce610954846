"""The hook of this plugin: it offers the CPI ``local``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CpiProvider
from kubo_sdk_local.config import LocalConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.cpi import DiskCpi


def _connect(config: LocalConfig, context: ConnectContext) -> DiskCpi:
    from kubo_sdk_local.cpi import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


@hookimpl
def kubo_cpi_providers() -> tuple[CpiProvider, ...]:
    """Offer machines on this host."""
    return (
        CpiProvider(
            name="local",
            summary="machines on this host, made of Linux namespaces with systemd as PID 1",
            config=LocalConfig,
            connect=_connect,
            capabilities=("disks", "shares_trees", "stock_images", "zones"),
        ),
    )
