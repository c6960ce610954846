"""The configuration of the server and of the recursor as text.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from kubo_sdk_powerdns.managed import paths


def server_config(address: str, port: int) -> str:
    """What pdns_server reads.  Key of the API and path of the database are told at its start, in `paths.RUN`."""
    return f"""\
launch=gsqlite3
# The records are in records.json as well: a power cut must not make every change wait for the disk.
gsqlite3-pragma-synchronous=1
gsqlite3-pragma-foreign-keys=yes
include-dir={paths.RUN}/conf.d
socket-dir={paths.RUN}
local-address={address}
local-port={port}
api=yes
webserver=yes
webserver-address=127.0.0.1
webserver-port={paths.API_PORT}
webserver-allow-from=127.0.0.1
webserver-loglevel=none
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
disable-axfr=yes
version-string=anonymous
# Without a way outside, looking for a newer version holds the start up for seconds.
security-poll-suffix=
# Who writes into the database past the API is seen after so many seconds.
cache-ttl=5
query-cache-ttl=5
negquery-cache-ttl=5
zone-cache-refresh-interval=30
"""


def recursor_config(address: str, zones: Iterable[str], resolvers: Iterable[IPv4Address]) -> str:
    """What pdns_recursor reads: the cluster's own zones come from the server beside it, everything else from others."""
    own = ", ".join(f"{zone}={address}:{paths.BEHIND_PORT}" for zone in zones)
    outside = [str(resolver) for resolver in resolvers]
    return f"""\
local-address={address}
local-port={paths.DNS_PORT}
forward-zones={own}
forward-zones-recurse=.={";".join(outside)}
socket-dir={paths.RECURSOR_RUN}
daemon=no
disable-syslog=yes
write-pid=no
quiet=yes
threads=1
# A zone nobody signed lies below one that somebody did.
dnssec=off
# An answer about an instance is as old as the server's own caches allow.
max-cache-ttl=30
max-negative-ttl=5
packetcache-ttl=5
packetcache-servfail-ttl=1
# A server that was away for a moment would not be asked again for a minute.
dont-throttle-netmasks={address}, {", ".join(outside)}
security-poll-suffix=
version-string=anonymous
"""
