"""CredhubClient: the whole REST API, grouped as CredHub groups it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, field, frozen

from kubo_sdk_credhub.api.certificates import Certificates
from kubo_sdk_credhub.api.credentials import Credentials
from kubo_sdk_credhub.api.exchange import Exchange
from kubo_sdk_credhub.api.permissions import Permissions


@frozen
class CredhubClient:
    """Thread-safe.  Nothing is asked before the first call."""

    exchange: Exchange
    credentials: Credentials = field(init=False, default=Factory(lambda self: Credentials(self.exchange), True))
    certificates: Certificates = field(init=False, default=Factory(lambda self: Certificates(self.exchange), True))
    permissions: Permissions = field(init=False, default=Factory(lambda self: Permissions(self.exchange), True))

    def version(self) -> str:
        """The server's version: ``2.15.20``."""
        return str(self.exchange.ask("GET", "/version", what="tell its version")["version"])

    def key_usage(self) -> Mapping[str, int]:
        """How many versions are encrypted with the active key, with inactive and with unknown ones."""
        counts: Mapping[str, int] = self.exchange.ask("GET", "/api/v1/key-usage", what="count its keys")
        return counts
