"""Is it a server this plugin can work with: PowerDNS's authoritative one, new enough, under that id."""

from __future__ import annotations

import re

from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk_powerdns.api.client import ApiClient

OLDEST = (4, 7)
# Builds from the development branch are called so.
_DEVELOPMENT = (0, 0)


def check_server(client: ApiClient) -> None:
    """ProviderError when nothing good can come of it."""
    try:
        server = client.get("")
    except NotFound:
        raise ProviderError(
            f"{client} has no server {client.server_id!r}; set server_id to what it has, which is localhost, and see "
            "that url leads to PowerDNS"
        ) from None
    kind = server.get("daemon_type") if isinstance(server, dict) else None
    if kind != "authoritative":
        raise ProviderError(
            f"{client} is {kind or 'no PowerDNS'} and keeps no zones; set url to the API of an authoritative server"
        )
    version = str(server.get("version", ""))
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is not None and _DEVELOPMENT != (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ProviderError(f"{client} is version {version}, which is too old; upgrade it to {oldest} or newer")
