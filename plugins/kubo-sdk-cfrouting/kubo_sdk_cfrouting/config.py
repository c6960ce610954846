"""CfRoutingConfig: what a spec may say about the Cloud Foundry in front of its cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from kubo_sdk.secret_source import SecretSource
from kubo_sdk_cfrouting.nats_options import NatsOptions

DEFAULT_GROUP = "default-tcp"
# The server's own default of what it takes at most.
LONGEST_TTL = 120
SHORTEST_TTL = 9

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


@frozen(kw_only=True)
class CfRoutingConfig:
    """Options of the provider ``cfrouting``.

    ``routing_api`` and ``uaa``: ``https://HOST[:PORT]``.  ``client`` with ``client_secret``: a client of the UAA with
    the authorities routing.router_groups.read, routing.routes.read and routing.routes.write.  ``ca_file``: PEM of
    whoever signed the certificates of both, by default the authorities a machine trusts.  ``certificate_file`` with
    ``key_file``: what we show a routing API that wants a client certificate.  ``tcp_domain``: the name or address of
    the TCP routers.  ``router_group``: the group of type tcp by its name.  ``external_port``: where the routers listen
    for the API, by default the API's own port.  ``ttl``: seconds a route outlives its machine.  ``cf_network``: the
    network of Cloud Foundry's machines, which must not overlap the cluster's own.  ``timeout``: seconds for one answer.

    ``service_routes``: whether labelled services get routes.  ``app_domain``: below it lie their HTTP routes, announced
    at ``nats``.
    """

    routing_api: str
    uaa: str
    client: str
    client_secret: SecretSource
    tcp_domain: str
    router_group: str = DEFAULT_GROUP
    external_port: int | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    ttl: int = 60
    cf_network: IPv4Network | None = None
    timeout: float = 10.0
    service_routes: bool = True
    app_domain: str = ""
    nats: NatsOptions | None = None

    def __attrs_post_init__(self) -> None:
        problem = next(self._problems(), None)
        if problem is not None:
            raise ValueError(problem)

    def _problems(self) -> Iterator[str]:
        for option, url in (("routing_api", self.routing_api), ("uaa", self.uaa)):
            if not is_https(url):
                yield f"{option} {url!r} must be like https://{option.replace('_', '-')}.example.com, and https"
        if not self.client:
            yield "client must name a client of the UAA"
        if not _HOST.fullmatch(self.tcp_domain):
            yield f"tcp_domain {self.tcp_domain!r} must be a name or an address such as tcp.example.com"
        if not self.router_group:
            yield f"router_group must name a router group such as {DEFAULT_GROUP}"
        if self.external_port is not None and not 1 <= self.external_port <= 65535:
            yield f"external_port must be a port from 1 to 65535, not {self.external_port}"
        if (self.certificate_file is None) != (self.key_file is None):
            yield "certificate_file and key_file belong together; give both or none"
        if self.ttl < SHORTEST_TTL:
            yield f"ttl must be at least {SHORTEST_TTL} seconds, not {self.ttl}"
        if self.timeout <= 0:
            yield f"timeout must be more than 0 seconds, not {self.timeout:g}"
        yield from self._service_problems()

    def _service_problems(self) -> Iterator[str]:
        if bool(self.app_domain) != (self.nats is not None):
            yield "app_domain and nats belong together; give both for HTTP routes, or none"
        if self.app_domain and not _HOST.fullmatch(self.app_domain):
            yield f"app_domain {self.app_domain!r} must be a domain such as apps.example.com"
        if self.nats is not None and not self.service_routes:
            yield "nats is for the routes of services; leave it out, or let service_routes be true"


def is_https(url: str) -> bool:
    """Whether *url* is an https URL that names a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    named = bool(parts.hostname and _HOST.fullmatch(parts.hostname))
    return parts.scheme == "https" and named and plain and (port is None or port > 0)
