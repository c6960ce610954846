"""Claims: whose a route is, by its ``instance_id``, and what may be done about it.  Pure.

``kubo:<director>/<cluster>:<instance>`` is the API of a cluster at one of its masters.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk_cfrouting.agent.routing_api import Mapped, RouterGroup
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError

TCP = "tcp"
# What is no API in an `instance_id` of ours.
SERVICE = "service"


def chosen(groups: Iterable[RouterGroup], name: str) -> RouterGroup:
    """The group of type tcp called *name*; RoutingError MISSING where there is none."""
    found = [group for group in groups if group.name == name]
    for group in found:
        if group.type == TCP:
            return group
    if found:
        raise RoutingError(
            Kind.MISSING,
            f"the router group {name} is of type {found[0].type} and not {TCP}; choose a TCP router group",
        )
    raise RoutingError(Kind.MISSING, f"there is no router group {name}; name one that cf router-groups lists")


def check_port(group: RouterGroup, port: int) -> None:
    """RoutingError REFUSED when *port* is none that *group* lets anybody have."""
    if not any(first <= port <= last for first, last in port_ranges(group.ports)):
        raise RoutingError(
            Kind.REFUSED,
            f"port {port} is not among the reservable ports of the router group {group.name}, {group.ports}; "
            "choose one of them",
        )


def port_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """``1024-1123,2000`` as ranges, both ends included; what cannot be read holds no port."""
    found = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.strip().isdecimal() and (last.strip().isdecimal() or not last):
            found.append((int(first), int(last or first)))
    return tuple(found)


def is_of(route: Mapped, owner: str) -> bool:
    """Whether *owner*, ``kubo:<director>/<cluster>``, made the route."""
    return str(route.get("instance_id") or "").startswith(f"{owner}:")


def is_api_of(route: Mapped, owner: str) -> bool:
    """Whether the route leads to the API of *owner*."""
    return is_of(route, owner) and not is_of(route, f"{owner}:{SERVICE}")


def check_owner(routes: Iterable[Mapped], group: RouterGroup, port: int, owner: str, own: Iterable[str] = ()) -> None:
    """RoutingError TAKEN when somebody else is behind *port*: the routers would mix them.

    Routes that lead to one of the addresses *own* are ours, whoever made them.
    """
    addresses = frozenset(own)
    for route in routes:
        if (route.get("router_group_guid"), route.get("port")) != (group.guid, port):
            continue
        if is_api_of(route, owner) or str(route.get("backend_ip")) in addresses:
            continue
        backend = f"{route.get('backend_ip')}:{route.get('backend_port')}"
        whose = f" of {route['instance_id']!r}" if route.get("instance_id") else ""
        raise RoutingError(
            Kind.TAKEN,
            f"port {port} of the router group {group.name} leads to {backend}{whose} already; "
            "choose another external_port, or delete that route",
        )
