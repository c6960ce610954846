"""The systemd units of a worker: the agent, the server it feeds, and the recursor pods ask."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from kubo_sdk.systemd import HARDENED, command_line, service
from kubo_sdk_powerdns.cluster import paths

AGENT_UNIT = "kubo-cluster-dns.service"
SERVER_UNIT = "kubo-cluster-dns-server.service"
RECURSOR_UNIT = "kubo-cluster-dns-recursor.service"

# Debian's own account of both servers.
ACCOUNT = "pdns"

_HARDENED: Mapping[str, Any] = {
    **HARDENED,
    "User": ACCOUNT,
    "RuntimeDirectory": posixpath.basename(paths.RUN),
    "RuntimeDirectoryMode": "0750",
    # Three units share it.
    "RuntimeDirectoryPreserve": "yes",
    "PrivateTmp": "yes",
    "LockPersonality": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestartSec": "100ms",
    # Pods ask in every second, and an answer that comes late is none.
    "OOMScoreAdjust": "-900",
}


def agent_unit() -> str:
    """The agent.  It is ready when pdns_server may ask it, not when the API answered."""
    return service(
        description="Cluster DNS: follows the Services and their endpoints",
        command=("/usr/bin/python3", "-IS", paths.AGENT, paths.SETTINGS),
        settings={
            **_HARDENED,
            "Type": "notify",
            "CacheDirectory": posixpath.basename(paths.CACHE),
            "CapabilityBoundingSet": "",
            "MemoryDenyWriteExecute": "yes",
            "TimeoutStopSec": "10",
        },
    )


def server_unit() -> str:
    """pdns_server, which asks the agent."""
    return service(
        description="Cluster DNS: PowerDNS with the names of the cluster",
        command=("/usr/sbin/pdns_server", f"--config-dir={paths.CONFIG}"),
        unit={"After": f"network.target {AGENT_UNIT}"},
        settings={**_HARDENED, "Type": "notify", "CapabilityBoundingSet": ""},
    )


def recursor_unit(address: str) -> str:
    """pdns_recursor at the address every pod asks, which this machine has for itself."""
    own, away = (("/usr/sbin/ip", "address", verb, f"{address}/32", "dev", "lo") for verb in ("replace", "delete"))
    return service(
        description="Cluster DNS: what pods ask",
        command=("/usr/sbin/pdns_recursor", f"--config-dir={paths.CONFIG}"),
        unit={"After": f"network.target {AGENT_UNIT}"},
        settings={
            **_HARDENED,
            "Type": "notify",
            "ExecStartPre": f"+{command_line((*own, 'scope', 'host'))}",
            # Whoever answers pods instead must get what they ask.
            "ExecStopPost": f"-+{command_line(away)}",
            "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
            "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
            "LimitNOFILE": "65536",
        },
    )
