"""Heard: whose host names are registered with the HTTP routers, as far as NATS told.

Nobody can ask the routers; but whoever registers says so again every 20 seconds, for everybody to hear.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

# Routers forget what was not said again for so long.
FORGET_SECONDS = 120.0
# An upper bound, should somebody flood NATS.
MOST = 100_000


class HttpRoute(NamedTuple):
    """Requests for *host* go to one backend.  *mark*: whose it is."""

    host: str
    address: str
    port: int
    mark: str

    @property
    def instance(self) -> str:
        """Routers keep sessions apart by it, so each backend has its own."""
        return f"{self.mark}/{self.address}"


class Spoken(NamedTuple):
    """What a message on ``router.register`` or ``router.unregister`` is about."""

    hosts: tuple[str, ...]
    address: str
    port: int
    instance: str
    app: str


def read(payload: bytes, domain: str) -> Spoken | None:
    """None for what is about no host of *domain*, or makes no sense."""
    if domain.encode() not in payload.lower():
        return None
    try:
        found: Any = json.loads(payload)
        hosts = tuple(str(uri).lower().partition("/")[0] for uri in found.get("uris") or ())
        mine = tuple(host for host in hosts if host.endswith(f".{domain}"))
        port = int(found.get("tls_port") or found.get("port") or 0)
        instance, app = str(found.get("private_instance_id") or ""), str(found.get("app") or "")
        return Spoken(mine, str(found.get("host") or ""), port, instance, app) if mine else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


class Heard:
    """*prefix*: what the marks of this cluster begin with."""

    def __init__(self, prefix: str, domain: str) -> None:
        self._prefix = prefix
        self._domain = domain
        self._foreign: dict[str, dict[tuple[str, int], tuple[float, str]]] = {}
        self._ours: dict[HttpRoute, float] = {}

    def registered(self, payload: bytes, now: float) -> bool:
        """Whether a sibling of ours spoke."""
        spoken = read(payload, self._domain)
        if spoken is None:
            return False
        for host in spoken.hosts:
            route = self._own(spoken, host)
            if route is not None:
                self._ours[route] = now
            elif len(self._foreign) < MOST or host in self._foreign:
                backends = self._foreign.setdefault(host, {})
                backends[spoken.address, spoken.port] = (now, spoken.app or spoken.instance)
        return spoken.instance.startswith(self._prefix)

    def unregistered(self, payload: bytes) -> tuple[HttpRoute, ...]:
        """Those of ours that a sibling took back."""
        spoken = read(payload, self._domain)
        gone: list[HttpRoute] = []
        if spoken is None:
            return ()
        for host in spoken.hosts:
            route = self._own(spoken, host)
            if route is not None:
                self._ours.pop(route, None)
                gone.append(route)
            elif host in self._foreign:
                self._foreign[host].pop((spoken.address, spoken.port), None)
                if not self._foreign[host]:
                    del self._foreign[host]
        return tuple(gone)

    def _own(self, spoken: Spoken, host: str) -> HttpRoute | None:
        if not spoken.instance.startswith(self._prefix):
            return None
        mark = spoken.instance.removesuffix(f"/{spoken.address}")
        return HttpRoute(host, spoken.address, spoken.port, mark)

    def forget(self, now: float) -> None:
        """What the routers forgot as well."""
        oldest = now - FORGET_SECONDS
        self._ours = {route: at for route, at in self._ours.items() if at > oldest}
        for host, backends in list(self._foreign.items()):
            kept = {key: found for key, found in backends.items() if found[0] > oldest}
            if kept:
                self._foreign[host] = kept
            else:
                del self._foreign[host]

    def disown(self, route: HttpRoute) -> None:
        """It is being taken back."""
        self._ours.pop(route, None)

    @property
    def ours(self) -> tuple[HttpRoute, ...]:
        return tuple(self._ours)

    @property
    def foreign(self) -> dict[str, str]:
        """Who registered which host."""
        return {host: next(iter(backends.values()))[1] for host, backends in self._foreign.items()}
