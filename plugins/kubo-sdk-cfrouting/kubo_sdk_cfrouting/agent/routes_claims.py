"""Who gets which port of the routers, and which host name; and where its traffic goes.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from kubo_sdk_cfrouting.agent.routes_objects import Node, Service
from kubo_sdk_cfrouting.agent.routes_wishes import NOWHERE, REFUSED, TAKEN, Complaint, HttpWish, TcpWish

Ranges = Sequence[tuple[int, int]]

W = TypeVar("W", TcpWish, HttpWish)

# What every cluster of kubo_sdk begins its marks with.
KUBO = "kubo:"


class Rules(NamedTuple):
    """``prefix``: what the marks of this cluster's Services begin with.  ``api_port``: what the API itself has."""

    prefix: str
    group: str
    ranges: Ranges
    ranges_text: str
    api_port: int


class Granted(NamedTuple):
    tcp: tuple[TcpWish, ...]
    complaints: tuple[Complaint, ...]


def mark_of(service: Service, prefix: str) -> str:
    """Whose route it is."""
    return f"{prefix}{service.key}"


def backends(service: Service, nodes: Iterable[Node], endpoint_nodes: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The addresses of the nodes that serve it: ready ones, with an endpoint where the traffic policy is Local.

    Nodes about to leave are used only where there is no other.
    """
    able = [node for node in nodes if node.ready and node.address]
    if service.local:
        own = endpoint_nodes.get(service.key, frozenset())
        able = [node for node in able if node.name in own]
    staying = [node for node in able if not node.leaving]
    return tuple(sorted({node.address for node in staying or able}))


def without_backends(service: Service) -> Complaint:
    """For one that no node serves."""
    what = "no ready node has a ready endpoint of it" if service.local else "no node is ready"
    return Complaint(service, NOWHERE, f"{what}, so its routes are taken back until one is; see kubectl get nodes,pods")


def grant_ports(wishes: Iterable[TcpWish], rules: Rules, holders: Mapping[int, frozenset[str]]) -> Granted:
    """*holders*: the marks at each port of the routers.  Who holds a port keeps it; else the older Service gets it."""
    given: dict[int, TcpWish] = {}
    complaints: list[Complaint] = []
    for wish in sorted(wishes, key=lambda wish: _rank(wish, rules.prefix, holders.get(wish.port, frozenset()))):
        why = _refusal(wish, rules)
        if why:
            complaints.append(Complaint(wish.service, REFUSED, why))
            continue
        mine = mark_of(wish.service, rules.prefix)
        marks = holders.get(wish.port, frozenset())
        foreign = sorted(mark for mark in marks if not mark.startswith(rules.prefix))
        if wish.port in given:
            complaints.append(_rivals(wish, f"port {wish.port}", given[wish.port].service))
        elif foreign and (mine not in marks or _yields(mine, foreign)):
            complaints.append(_taken(wish.service, rules, wish.port, foreign[0]))
        else:
            given[wish.port] = wish
            if foreign:
                complaints.append(_shared(wish.service, f"port {wish.port} of {rules.group}", foreign[0]))
    return Granted(tuple(given.values()), tuple(complaints))


def _rank(wish: TcpWish | HttpWish, prefix: str, marks: frozenset[str]) -> tuple[bool, str, str, int]:
    return mark_of(wish.service, prefix) not in marks, wish.service.created, wish.service.key, wish.node_port


def _yields(mine: str, foreign: Iterable[str]) -> bool:
    """Two clusters that took a port in the same moment must not both keep it."""
    return any(mark.startswith(KUBO) and mark < mine for mark in foreign)


def _refusal(wish: TcpWish, rules: Rules) -> str:
    port = wish.port
    if not any(first <= port <= last for first, last in rules.ranges):
        return (
            f"port {port} is none that the router group {rules.group} has ({rules.ranges_text or 'none'}); "
            "ask for one of those, or have the group extended"
        )
    if port == rules.api_port:
        return f"port {port} of the router group {rules.group} leads to the API of this cluster; ask for another"
    return ""


def _taken(service: Service, rules: Rules, port: int, owner: str) -> Complaint:
    text = f"port {port} of the router group {rules.group} is taken by {owner or 'somebody unnamed'}; ask for another"
    return Complaint(service, TAKEN, text)


def _shared(service: Service, what: str, owner: str) -> Complaint:
    text = f"{what} is registered by {owner or 'somebody unnamed'} as well, and gets part of the traffic; end that"
    return Complaint(service, TAKEN, text)


def _rivals(wish: W, what: str, other: Service) -> Complaint:
    if other.key == wish.service.key:
        text = f"{what} is asked for twice by this Service; give each of its ports another"
    else:
        text = f"{what} is taken by the Service {other.key}; ask for another"
    return Complaint(wish.service, TAKEN, text)


class Hosts(NamedTuple):
    """``ours``: marks by host name, of what this cluster registered; ``foreign``: who else did.

    ``settled``: no more is to be heard of others; before, only what is ours already is granted.
    """

    ours: Mapping[str, frozenset[str]]
    foreign: Mapping[str, str]
    settled: bool


def grant_hosts(
    wishes: Iterable[HttpWish], prefix: str, domain: str, hosts: Hosts
) -> tuple[tuple[HttpWish, ...], tuple[Complaint, ...]]:
    """As `grant_ports`.  Who registered a host name keeps it, whoever else does so later."""
    given: dict[str, HttpWish] = {}
    complaints: list[Complaint] = []

    def marks(wish: HttpWish) -> frozenset[str]:
        return hosts.ours.get(f"{wish.name}.{domain}", frozenset())

    for wish in sorted(wishes, key=lambda wish: _rank(wish, prefix, marks(wish))):
        host = f"{wish.name}.{domain}"
        foreign = hosts.foreign.get(host)
        if wish.name in given:
            complaints.append(_rivals(wish, f"the host name {host}", given[wish.name].service))
        elif foreign is not None and not marks(wish):
            text = f"the host name {host} is taken by {foreign or 'somebody unnamed'}; ask for another"
            complaints.append(Complaint(wish.service, TAKEN, text))
        elif hosts.settled or marks(wish):
            given[wish.name] = wish
            if foreign is not None:
                complaints.append(_shared(wish.service, f"the host name {host}", foreign))
    return tuple(given.values()), tuple(complaints)
