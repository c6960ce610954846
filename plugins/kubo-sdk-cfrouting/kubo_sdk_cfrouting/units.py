"""The systemd units of the agent on a master: one for the API, one for services."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.systemd import HARDENED, service
from kubo_sdk_cfrouting import paths

UNIT = "kubo-cfrouting.service"
ROUTES_UNIT = "kubo-cf-routes.service"
ACCOUNT = "kubo-cfrouting"
API_SERVER = "kube-apiserver.service"

_HARDENED: Mapping[str, str] = {
    **HARDENED,
    "Type": "notify",
    "User": ACCOUNT,
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "PrivateTmp": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
}


def agent_unit() -> str:
    """Stopped before the API server is, so that nobody is sent to one that goes away.

    It is ready once the route is there, or after a while without one.
    """
    return service(
        description="Cloud Foundry routing: leads the routers to this master",
        command=("/usr/bin/python3", "-IS", paths.AGENT, paths.SETTINGS),
        unit={"After": f"network.target {API_SERVER}", "PartOf": API_SERVER},
        settings={**_HARDENED, "TimeoutStartSec": "60", "TimeoutStopSec": "30"},
    )


def routes_unit() -> str:
    """It rides out a restart of the API server, but asks it who leads when it is stopped, so it stops first."""
    return service(
        description="Cloud Foundry routing: leads the routers to services",
        command=("/usr/bin/python3", "-IS", paths.AGENT, "routes", paths.SERVICES),
        unit={"After": f"network.target {API_SERVER}"},
        settings={**_HARDENED, "TimeoutStopSec": "45"},
    )
