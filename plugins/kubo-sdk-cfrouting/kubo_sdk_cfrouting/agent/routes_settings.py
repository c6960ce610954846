"""Settings of the service routes: the part ``services`` of the agent's settings file."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent.election import Terms
from kubo_sdk_cfrouting.agent.https import Trust
from kubo_sdk_cfrouting.agent.nats_session import Login, Server

# A little longer than whoever has a host name may be silent.
LISTEN_SECONDS = 25.0
RENEW_SECONDS = 20.0
# The others look for a lease that was given back every 2 s.
SUCCESSOR_SECONDS = 6.0


class Nats(NamedTuple):
    """``servers`` as (host, port).  ``password`` is the path of a file, empty for none."""

    servers: tuple[Server, ...]
    username: str
    password: str
    tls: bool
    trust: Trust
    server_name: str

    def login(self) -> Login:
        """Raises OSError or ValueError for files that cannot be used."""
        context: ssl.SSLContext | None = self.trust.context() if self.tls else None
        password = Path(self.password).read_text().strip() if self.password else ""
        return Login(self.username, password, context, self.server_name)


class ServiceSettings(NamedTuple):
    """``domain``: of the apps.  ``nats``: None for no HTTP routes."""

    domain: str = ""
    nats: Nats | None = None
    terms: Terms = Terms()
    listen: float = LISTEN_SECONDS
    renew: float = RENEW_SECONDS
    successor: float = SUCCESSOR_SECONDS


def read(found: Mapping[str, Any]) -> ServiceSettings:
    """KeyError, TypeError or ValueError where it makes no sense."""
    raw = dict(found)
    nats, terms = raw.pop("nats", None), raw.pop("terms", {})
    domain = str(raw.pop("domain", "")).lower().strip(".")
    return ServiceSettings(
        domain=domain,
        nats=_nats(nats) if nats and domain else None,
        terms=Terms(**terms),
        **raw,
    )


def _nats(raw: Mapping[str, Any]) -> Nats:
    return Nats(
        servers=tuple(Server(str(host), int(port)) for host, port in raw["servers"]),
        username=raw.get("username", ""),
        password=raw.get("password", ""),
        tls=raw.get("tls", True),
        trust=Trust(**raw.get("trust", {})),
        server_name=raw.get("server_name", ""),
    )
