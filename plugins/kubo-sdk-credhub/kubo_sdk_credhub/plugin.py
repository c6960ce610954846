"""The hook of this plugin: it offers the credential store ``credhub``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CredentialStoreProvider
from kubo_sdk_credhub.config import CredhubConfig

if TYPE_CHECKING:
    from kubo_sdk.ports.credentials import CredentialStore


def _connect(config: CredhubConfig, context: ConnectContext) -> CredentialStore:
    from kubo_sdk_credhub.connect import connect  # noqa: PLC0415  (a plugin that is not chosen costs nothing)

    return connect(config, context.base_dir)


@hookimpl
def kubo_credential_store_providers() -> tuple[CredentialStoreProvider, ...]:
    """Offer CredHub."""
    return (
        CredentialStoreProvider(
            name="credhub",
            summary="secrets that a CredHub server makes and keeps",
            config=CredhubConfig,
            connect=_connect,
            capabilities=("rotates", "rsa-2048", "rsa-3072", "rsa-4096"),
        ),
    )
