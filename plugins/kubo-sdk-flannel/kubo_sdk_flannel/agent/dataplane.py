"""Decides which routes, neighbours and FDB entries a node needs, and what is to change.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import NamedTuple

from kubo_sdk_flannel.agent.store import View
from kubo_sdk_flannel.agent.wire import HOST_GW, VXLAN, Lease, Network


class Route(NamedTuple):
    """``device`` is an interface index."""

    subnet: IPv4Network
    gateway: str
    device: int
    onlink: bool


class Neighbour(NamedTuple):
    address: str
    mac: str


class Forwarding(NamedTuple):
    """One FDB entry: frames for *mac* go to the machine at *address*."""

    mac: str
    address: str


class Entries(NamedTuple):
    """What lies in the kernel, or should."""

    neighbours: frozenset[Neighbour]
    forwardings: frozenset[Forwarding]
    routes: frozenset[Route]

    def __len__(self) -> int:
        return len(self.neighbours) + len(self.forwardings) + len(self.routes)


class Changes(NamedTuple):
    """Additions replace what has the same key; they come before removals, so that no packet is lost between."""

    add: Entries
    remove: Entries

    def __bool__(self) -> bool:
        return bool(len(self.add) or len(self.remove))

    def __str__(self) -> str:
        return ", ".join(text for text in (_count("added", self.add), _count("removed", self.remove)) if text)


class Devices(NamedTuple):
    """Interface indexes.  ``vxlan`` is 0 where there is no such device."""

    underlay: int
    vxlan: int


def wished_for(view: View, network: Network, devices: Devices, on_link: Callable[[str], bool]) -> Entries:
    """The entries for every other node.  Leases of another backend are left alone, as flannel does."""
    neighbours, forwardings, routes = set(), set(), set()
    for lease in view.others:
        mine = lease.public_ip == view.own.public_ip or lease.subnet.overlaps(view.own.subnet)
        if mine or lease.backend != network.backend.type:
            continue
        if lease.backend == HOST_GW or (network.backend.direct_routing and on_link(lease.public_ip)):
            routes.add(Route(lease.subnet, lease.public_ip, devices.underlay, onlink=False))
        elif lease.mac:
            base = str(lease.subnet.network_address)
            neighbours.add(Neighbour(base, lease.mac))
            forwardings.add(Forwarding(lease.mac, lease.public_ip))
            routes.add(Route(lease.subnet, base, devices.vxlan, onlink=True))
    return Entries(frozenset(neighbours), frozenset(forwardings), frozenset(routes))


def is_ours(route: Route, own: Lease, network: Network, devices: Devices) -> bool:
    """Whether a route found in the main table is one that an agent made, now or in an earlier life."""
    if route.device == devices.vxlan:
        return True
    shaped = route.subnet.prefixlen == network.subnet_length and route.subnet.subnet_of(network.network)
    return shaped and route.device == devices.underlay and bool(route.gateway) and route.subnet != own.subnet


def changes(wished: Entries, found: Entries) -> Changes:
    """How to get from *found* to *wished*."""
    kept = {neighbour.address for neighbour in wished.neighbours}
    stale = frozenset(entry for entry in found.neighbours - wished.neighbours if entry.address not in kept)
    return Changes(
        add=Entries(
            wished.neighbours - found.neighbours,
            wished.forwardings - found.forwardings,
            wished.routes - found.routes,
        ),
        remove=Entries(stale, found.forwardings - wished.forwardings, found.routes - wished.routes),
    )


def device_mtu(network: Network, underlay: int) -> int:
    """The MTU of pods, given that of the interface the machines reach each other through."""
    if network.backend.type == VXLAN:
        return (network.backend.mtu or underlay) - 50
    return underlay


def _count(verb: str, entries: Entries) -> str:
    parts = [
        f"{len(found)} {name}{'s' if len(found) > 1 else ''}"
        for name, found in (
            ("neighbour", entries.neighbours),
            ("FDB entry", entries.forwardings),
            ("route", entries.routes),
        )
        if found
    ]
    return f"{verb} {', '.join(parts)}".replace("entrys", "entries") if parts else ""
