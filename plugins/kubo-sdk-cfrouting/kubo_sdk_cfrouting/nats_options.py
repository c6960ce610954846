"""NatsOptions: what a spec says about the NATS by which the HTTP routers of Cloud Foundry learn their routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from kubo_sdk.secret_source import SecretSource

TLS_PORT, PLAIN_PORT = 4224, 4222

_SERVER = re.compile(r"(?P<host>[A-Za-z0-9_.-]{1,253})(:(?P<port>[0-9]{1,5}))?")


@frozen(kw_only=True)
class NatsOptions:
    """``nats``: where HTTP routes of services are announced.  TLS always, unless ``plain``.

    ``servers``: HOST or HOST:PORT each, by default at port 4224, or 4222 if ``plain``.  ``user`` with ``password``: the
    login.  ``ca_file``: PEM of whoever signed the servers' certificates, by default the authorities a machine trusts.
    ``certificate_file`` with ``key_file``: what we show them.  ``server_name``: what their certificates are for, by
    default the host of each.
    """

    servers: tuple[str, ...]
    user: str = ""
    password: SecretSource | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    plain: bool = False

    def __attrs_post_init__(self) -> None:
        problem = next(self._problems(), None)
        if problem is not None:
            raise ValueError(problem)

    def _problems(self) -> Iterator[str]:
        if not self.servers:
            yield "servers must name at least one server of NATS"
        for server in self.servers:
            match = _SERVER.fullmatch(server)
            if match is None or not 0 < int(match["port"] or TLS_PORT) < 1 << 16:
                yield f"servers: {server!r} must be a name or an address, with a port or without"
        if bool(self.user) != (self.password is not None):
            yield "user and password belong together; give both or none"
        if (self.certificate_file is None) != (self.key_file is None):
            yield "certificate_file and key_file belong together; give both or none"
        if self.plain and (self.ca_file or self.certificate_file or self.server_name):
            yield "ca_file, certificate_file and server_name are for TLS; leave them out, or leave out plain"

    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each server."""
        usual = PLAIN_PORT if self.plain else TLS_PORT
        parts = (server.partition(":") for server in self.servers)
        return tuple((host, int(port or usual)) for host, _, port in parts)
