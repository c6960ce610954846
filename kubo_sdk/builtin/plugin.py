"""The built-in providers, offered through the same door as everybody else's.  Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.builtin.file_credentials.config import FileCredentialsConfig
from kubo_sdk.hookspecs import hookimpl
from kubo_sdk.ports.providers import ConnectContext, CredentialStoreProvider

if TYPE_CHECKING:
    from kubo_sdk.ports.credentials import CredentialStore


@hookimpl
def kubo_credential_store_providers() -> tuple[CredentialStoreProvider, ...]:
    """The encrypted file."""
    return (
        CredentialStoreProvider(
            name="file",
            summary="credentials sealed in one file on this host",
            config=FileCredentialsConfig,
            connect=_connect_file_credentials,
        ),
    )


def _connect_file_credentials(config: FileCredentialsConfig, context: ConnectContext) -> CredentialStore:
    from kubo_sdk.builtin.file_credentials.store import connect  # noqa: PLC0415

    return connect(config, context)
