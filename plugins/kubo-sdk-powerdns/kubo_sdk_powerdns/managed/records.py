"""What the server of a cluster has to answer, as JSON: zones with their record sets, and who may be the API.  Pure.

Names end in a dot, as the API of PowerDNS wants them.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address
from typing import Any

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.ports.node import NodeContext

INSTANCE_TTL = 30
# A client keeps the answer no longer than a machine may take to be noticed.
API_TTL = 5


def records(context: NodeContext, servers: Iterable[Instance]) -> dict[str, Any]:
    """All names of the cluster; *servers* are the instances that answer them."""
    domain = context.spec.domain
    names = [f"{server.slug}.{domain}." for server in servers]
    found = [
        (instance, IPv4Address(context.addresses[instance.id]))
        for instance in context.spec.instances()
        if context.addresses.get(instance.id)
    ]
    forward = [_rrset(f"{one.slug}.{domain}.", "A", INSTANCE_TTL, [str(address)]) for one, address in found]
    zones = [_zone(f"{domain}.", names, [*forward, *_alias(context)])]
    for reverse in reverse_zones(address for _, address in found):
        pointers = [
            _rrset(f"{address.reverse_pointer}.", "PTR", INSTANCE_TTL, [f"{one.slug}.{domain}."])
            for one, address in found
            if _reverse_zone(address) == reverse
        ]
        zones.append(_zone(reverse, names, pointers))
    return {"zones": zones, "api": _api(context)}


def reverse_zones(addresses: Iterable[IPv4Address]) -> tuple[str, ...]:
    """The zones that hold the names of *addresses*: one for each /24, so that few are claimed that are not ours."""
    return tuple(sorted({_reverse_zone(address) for address in addresses}))


def _reverse_zone(address: IPv4Address) -> str:
    return f"{address.reverse_pointer.partition('.')[2]}."


def _zone(name: str, servers: list[str], rrsets: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "servers": servers, "rrsets": [_rrset(name, "NS", INSTANCE_TTL, servers), *rrsets]}


def _rrset(name: str, type: str, ttl: int, contents: list[str]) -> dict[str, Any]:
    return {"name": name, "type": type, "ttl": ttl, "contents": contents}


def _api(context: NodeContext) -> dict[str, Any] | None:
    """Who may be ``api.<domain>``, tier by tier: the first tier with anybody in it through whom the API answers.

    None where a load balancer has a name of its own.
    """
    if not _is_address(context.api.host):
        return None
    proxies = [address for _, address in context.peers(Role.PROXY)]
    masters = [address for _, address in context.peers(Role.MASTER)]
    own = context.api.host in proxies
    tiers = [proxies if own else [context.api.host], masters]
    return {"name": f"api.{context.spec.domain}.", "ttl": API_TTL, "port": context.api.port, "tiers": tiers}


def _alias(context: NodeContext) -> list[dict[str, Any]]:
    name = f"api.{context.spec.domain}"
    if _is_address(context.api.host) or context.api.host.rstrip(".").lower() == name:
        return []
    return [_rrset(f"{name}.", "CNAME", API_TTL, [f"{context.api.host.rstrip('.')}."])]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
