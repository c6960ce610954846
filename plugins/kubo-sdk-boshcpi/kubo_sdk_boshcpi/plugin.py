"""The hook of this plugin: it offers the CPI ``bosh``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CpiProvider
from kubo_sdk_boshcpi.config import BoshConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.cpi import DiskCpi


def _connect(config: BoshConfig, context: ConnectContext) -> DiskCpi:
    from kubo_sdk_boshcpi.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context)


@hookimpl
def kubo_cpi_providers() -> tuple[CpiProvider, ...]:
    """Offer the machines of any BOSH CPI."""
    return (
        CpiProvider(
            name="bosh",
            summary="machines of any BOSH CPI executable, over its JSON protocol",
            config=BoshConfig,
            connect=_connect,
            capabilities=("disks", "shares_trees", "zones"),
        ),
    )
