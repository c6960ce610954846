"""The configuration of pdns_server and of pdns_recursor as text.  Pure."""

from __future__ import annotations

from kubo_sdk_powerdns.cluster import paths

# What is asked and answered here changes whenever a pod comes or goes, and the recursor is told what to forget.
# So nothing but the recursor keeps answers.
_SERVER = f"""\
launch=remote
remote-connection-string=unix:path={paths.RUN}/backend.sock,timeout=1000
local-address={{address}}
local-port={{port}}
socket-dir={paths.RUN}
receiver-threads=1
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=300
max-queue-length=5000
consistent-backends=yes
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
loglevel=3
disable-axfr=yes
version-string=anonymous
security-poll-suffix=
"""

_RECURSOR = f"""\
local-address={{address}}
local-port={paths.DNS_PORT}
allow-from=0.0.0.0/0
forward-zones-file={paths.RUN}/forwards
export-etc-hosts=yes
etc-hosts-file=/etc/hosts
socket-dir={paths.RUN}
threads=1
max-cache-entries=200000
max-packetcache-entries=100000
# What the cluster's own server says is kept as long as it says, unless it changes before; no failure is kept.
packetcache-servfail-ttl=0
max-negative-ttl=60
serve-rfc1918=no
dnssec=off
# The server beside us is never given up, however often it failed while it was started.
dont-throttle-netmasks=127.0.0.0/8
server-down-max-fails=0
# Forwarders on this machine, and in private networks, are as good as others.
dont-query=
network-timeout=1500
daemon=no
write-pid=no
disable-syslog=yes
quiet=yes
loglevel=3
version-string=anonymous
security-poll-suffix=
"""


def server_config() -> str:
    """What pdns_server reads."""
    address, _, port = paths.SERVER.partition(":")
    return _SERVER.format(address=address, port=port)


def recursor_config(address: str) -> str:
    """What pdns_recursor reads; *address* is where pods ask."""
    return _RECURSOR.format(address=address)
