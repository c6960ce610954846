"""Settings: the JSON file that tells a master's agent what it has to register, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent.https import Https, Trust
from kubo_sdk_cfrouting.agent.routing_api import RoutingApi
from kubo_sdk_cfrouting.agent.uaa import Uaa


class CloudFoundry(NamedTuple):
    """How the routing API is reached.  ``secret`` is the path of the UAA client's secret."""

    routing_api: str
    uaa: str
    client: str
    secret: str
    trust: Trust
    timeout: float


class Api(NamedTuple):
    """The API server of this machine, and the paths of what proves us to it."""

    host: str
    port: int
    ca: str
    certificate: str
    key: str


class Settings(NamedTuple):
    """``group``: the router group's name.  ``port``: of the routers.  ``owner``: the start of every ``instance_id`` of
    this cluster, ``instance``: this machine.  ``services``: what the service routes need, None for no such routes.
    """

    cloud_foundry: CloudFoundry
    group: str
    port: int
    ttl: int
    address: str
    owner: str
    instance: str
    api: Api
    services: dict[str, Any] | None = None


def load(path: str) -> Settings:
    """OSError, ValueError, KeyError or TypeError where the file cannot be used."""
    found = json.loads(Path(path).read_text())
    cf = found.pop("cloud_foundry")
    trust = Trust(**cf.pop("trust"))
    return Settings(cloud_foundry=CloudFoundry(trust=trust, **cf), api=Api(**found.pop("api")), **found)


def routing_api(cf: CloudFoundry) -> RoutingApi:
    """A client of the routing API, with a token of its own.  RoutingError DISTRUST for files that cannot be used."""
    # Only the routing API sees our certificate.
    uaa = Https("UAA", cf.uaa, Trust(ca=cf.trust.ca), cf.timeout)
    server = Https("routing API", cf.routing_api, cf.trust, cf.timeout)
    return RoutingApi(server, Uaa(uaa, cf.client, lambda: Path(cf.secret).read_text().strip()))
