"""The hook of this plugin: it offers the CPI ``static``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CpiProvider
from kubo_sdk_static.config import StaticConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.cpi import Cpi


def _connect(config: StaticConfig, context: ConnectContext) -> Cpi:
    from kubo_sdk_static.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


@hookimpl
def kubo_cpi_providers() -> tuple[CpiProvider, ...]:
    """Offer machines that exist already."""
    return (
        CpiProvider(
            name="static",
            summary="machines that exist already, listed in a file and reached over SSH",
            config=StaticConfig,
            connect=_connect,
            capabilities=("stock_images", "zones"),
        ),
    )
