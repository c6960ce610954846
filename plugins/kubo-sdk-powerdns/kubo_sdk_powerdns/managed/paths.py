"""Where things lie on a machine, and which ports they use."""

from __future__ import annotations

CONFIG = "/etc/kubo/names"
RECORDS = f"{CONFIG}/records.json"
SETTINGS = f"{CONFIG}/settings.json"
SERVER_CONFIG = f"{CONFIG}/pdns.conf"
RECURSOR_CONFIG = f"{CONFIG}/recursor.conf"
CLUSTER_CA = f"{CONFIG}/kubernetes-ca.crt"
RESOLV_CONF = f"{CONFIG}/resolv.conf"

AGENT = "/opt/kubo/names/agent.pyz"
RESOLVER = "/opt/kubo/names/resolver"

# Gone with a reboot: the key of the API, and the database while its disk takes no more.
RUN = "/run/kubo-pdns"
RECURSOR_RUN = "/run/kubo-pdns-recursor"
DISK = "/var/lib/kubo/disk"

HOSTS = "/etc/hosts"
ACCOUNTS = "/etc/sysusers.d/kubo-names.conf"

DNS_PORT = 53
# Out of the way of node ports, and of what Kubernetes and etcd listen on.
API_PORT = 10953
# Where the server listens when the recursor has taken port 53.
BEHIND_PORT = 10853


def database(*, disk: bool) -> str:
    """Where the server keeps its records: on the persistent disk of its group, if that has one."""
    return f"{DISK}/names/pdns.sqlite3" if disk else "/var/lib/kubo-names/pdns.sqlite3"
