"""Where things lie on a worker, and which ports they use."""

from __future__ import annotations

AGENT = "/opt/kubo/cluster-dns/agent.pyz"

CONFIG = "/etc/kubo/cluster-dns"
SETTINGS = f"{CONFIG}/settings.json"
SERVER_CONFIG = f"{CONFIG}/pdns.conf"
RECURSOR_CONFIG = f"{CONFIG}/recursor.conf"
CLIENT = f"{CONFIG}/client"
ACCOUNTS = "/etc/sysusers.d/kubo-cluster-dns.conf"

# Sockets, and what the agent writes for the recursor.
RUN = "/run/kubo-cluster-dns"
CACHE = "/var/cache/kubo-cluster-dns"
SNAPSHOT = f"{CACHE}/known.json"

DNS_PORT = 53
# Where pdns_server listens, on the loopback alone.
SERVER = "127.0.0.1:10053"
