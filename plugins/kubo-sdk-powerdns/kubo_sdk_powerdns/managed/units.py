"""The systemd units: the server, its agent, the recursor; and on every machine, who its resolvers are."""

from __future__ import annotations

import posixpath

from kubo_sdk.systemd import HARDENED, command_line, service, unit_text
from kubo_sdk_powerdns.managed import paths

SERVER_UNIT = "kubo-pdns.service"
AGENT_UNIT = "kubo-names.service"
RECURSOR_UNIT = "kubo-pdns-recursor.service"
RESOLVER_UNIT = "kubo-resolver.service"
ACCOUNT = "pdns"
# Debian's own account of pdns_recursor.
RECURSOR_ACCOUNT = "pdns"
AGENT = ("/usr/bin/python3", "-IS", paths.AGENT)
# So long the agent may be silent before it is taken for dead.
WATCHDOG_SECONDS = 30

# Not MemoryDenyWriteExecute: PowerDNS brings LuaJIT, which writes the code it runs.
_HARDENED = {
    **HARDENED,
    "PrivateTmp": "yes",
    "LockPersonality": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "UMask": "0077",
    "RestartSec": "200ms",
}


def server_unit(database: str) -> str:
    """pdns_server.  The agent makes key and database ready before each start, as the same account."""
    directory = posixpath.dirname(database)
    make_directory = ("/usr/bin/install", "-d", "-m", "0700", "-o", ACCOUNT, "-g", ACCOUNT, directory)
    return service(
        description="PowerDNS with the names of the cluster",
        command=("/usr/sbin/pdns_server", f"--config-dir={paths.CONFIG}"),
        unit={"After": "network.target local-fs.target"},
        settings={
            **_HARDENED,
            "Type": "notify",
            "User": ACCOUNT,
            "RuntimeDirectory": posixpath.basename(paths.RUN),
            "RuntimeDirectoryMode": "0700",
            "RuntimeDirectoryPreserve": "restart",
            # A disk that takes no more, or is not there, must not keep the names from being served.
            "ExecStartPre": (
                f"-+{command_line(make_directory)}",
                command_line((*AGENT, "prepare", paths.SETTINGS)),
            ),
            "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
            "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
        },
    )


def agent_unit() -> str:
    """The agent.  It runs as the server's account, so that it can end one that hangs."""
    return service(
        description="Keeps the names of the cluster right",
        command=(*AGENT, "keep", paths.SETTINGS),
        settings={
            **_HARDENED,
            "Type": "notify",
            "User": ACCOUNT,
            "WatchdogSec": str(WATCHDOG_SECONDS),
            "TimeoutStopSec": "5",
            "CapabilityBoundingSet": "",
            "MemoryDenyWriteExecute": "yes",
        },
    )


def recursor_unit() -> str:
    """pdns_recursor, in front of the server where names outside the cluster are forwarded."""
    return service(
        description="PowerDNS recursor: names of the cluster from its server, all others from outside",
        command=("/usr/sbin/pdns_recursor", f"--config-dir={paths.CONFIG}"),
        settings={
            **_HARDENED,
            "Type": "notify",
            "User": RECURSOR_ACCOUNT,
            "RuntimeDirectory": posixpath.basename(paths.RECURSOR_RUN),
            "RuntimeDirectoryMode": "0700",
            "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
            "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
        },
    )


def resolver_unit() -> str:
    """Lets /etc/resolv.conf be ours while the unit is active, and as it was before when it is stopped."""
    sections = {
        "Unit": {"Description": "Lets this machine resolve names through the cluster's own servers"},
        "Service": {
            "Type": "oneshot",
            "RemainAfterExit": "yes",
            "ExecStart": command_line(("/bin/sh", paths.RESOLVER, "set")),
            "ExecStop": command_line(("/bin/sh", paths.RESOLVER, "restore")),
        },
        "Install": {"WantedBy": "multi-user.target"},
    }
    return unit_text(sections)
