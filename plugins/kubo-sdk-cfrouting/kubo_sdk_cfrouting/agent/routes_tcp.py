"""TcpRoutes: has the routing API hold the mappings that are wished for, and none besides that once were."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent.claim import chosen, port_ranges
from kubo_sdk_cfrouting.agent.routes_claims import Rules, grant_ports, mark_of
from kubo_sdk_cfrouting.agent.routes_journal import Journal, Led
from kubo_sdk_cfrouting.agent.routes_objects import Service
from kubo_sdk_cfrouting.agent.routes_wishes import REFUSED, Complaint, TcpWish
from kubo_sdk_cfrouting.agent.routing_api import KEY, Mapped, RouterGroup, RoutingApi, TcpRoute
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError

_MAXIMUM = re.compile(r"TTL to be less than or equal to (\d+)|[Mm]ax ttl is (\d+)")

# So many mappings in one request.
BATCH = 200

Backends = Mapping[str, tuple[str, ...]]  # addresses by Service


class Place(NamedTuple):
    """Where the routes are to be, and whose.  ``prefix``: of the marks of this cluster's Services."""

    group: str
    api_port: int
    prefix: str
    ttl: int


class TcpRoutes:
    """Raises RoutingError.  Only a leader may `lead`."""

    def __init__(self, api: RoutingApi, place: Place) -> None:
        self._api = api
        self._place = place
        self._ttl = place.ttl
        self._routes: dict[_Identity, TcpRoute] = {}
        self._journal = Journal()

    @property
    def ttl(self) -> int:
        """Seconds after which routes end that are not renewed."""
        return self._ttl

    @property
    def count(self) -> int:
        """Of ports."""
        return len({(route.group, route.port) for route in self._routes.values()})

    def lead(self, wishes: Iterable[TcpWish], backends: Backends) -> tuple[Complaint, ...]:
        """Have the routes for *wishes* and no others; returns what is wrong with some of them."""
        group = chosen(self._api.router_groups(self._place.group), self._place.group)
        listed = self._api.routes()
        granted = grant_ports(wishes, self._rules(group), _holders(listed, group))
        wished = self._wished(granted.tcp, group, backends)
        mine = self._mine(listed)
        self._routes = {_identity(route.mapped()): route for route in wished}
        stale = [route for identity, route in mine.items() if identity not in self._routes]
        # A port must never lead to two Services; but of one Service the new backends come before the old ones go.
        owners = {(route.group, route.port): route.instance_id for route in wished}
        contested = [route for route in stale if owners.get(_port(route)) != route.get("instance_id")]
        self._api.unregister(contested)
        refused = self._register(wished, {route.instance_id: route for route in wished}, granted.tcp)
        self._api.unregister([route for route in stale if route not in contested])
        denied = {mark_of(complaint.service, self._place.prefix) for complaint in refused}
        self._journal.note(self._led(route) for route in wished if route.instance_id not in denied)
        return (*granted.complaints, *refused)

    def _led(self, route: TcpRoute) -> Led:
        service = route.instance_id.removeprefix(self._place.prefix)
        return Led(f"port {route.port}", service, f"{route.backend_ip}:{route.backend_port}")

    def rest(self) -> None:
        """Another leads."""
        self._journal.forget()

    def hold(self) -> None:
        """Keep alive what there still is: another leader may have taken back what this one does not know of."""
        listed = self._mine(self._api.routes())
        self._routes = {identity: route for identity, route in self._routes.items() if identity in listed}
        self._send(tuple(self._routes.values()))

    def withdraw(self) -> int:
        """Take back every route of this cluster's Services; how many there were."""
        mine = self._mine(self._api.routes())
        self._api.unregister(list(mine.values()))
        self._routes = {}
        return len(mine)

    def _rules(self, group: RouterGroup) -> Rules:
        return Rules(self._place.prefix, group.name, port_ranges(group.ports), group.ports, self._place.api_port)

    def _mine(self, listed: Iterable[Mapped]) -> dict[_Identity, Mapped]:
        """In whatever group."""
        return {
            _identity(route): route
            for route in listed
            if str(route.get("instance_id") or "").startswith(self._place.prefix)
        }

    def _wished(self, wishes: Iterable[TcpWish], group: RouterGroup, backends: Backends) -> tuple[TcpRoute, ...]:
        prefix = self._place.prefix
        return tuple(
            TcpRoute(group.guid, wish.port, address, wish.node_port, mark_of(wish.service, prefix))
            for wish in wishes
            for address in backends.get(wish.service.key, ())
        )

    def _register(
        self, routes: Collection[TcpRoute], marks: Mapping[str, TcpRoute], wishes: Iterable[TcpWish]
    ) -> list[Complaint]:
        """One Service whose routes are refused must not cost the others theirs."""
        try:
            self._send(tuple(routes))
        except RoutingError as error:
            if error.kind is not Kind.REFUSED or len(marks) <= 1:
                raise
        else:
            return []
        complaints: list[Complaint] = []
        services: dict[str, Service] = {mark_of(wish.service, self._place.prefix): wish.service for wish in wishes}
        for mark in marks:
            try:
                self._send([route for route in routes if route.instance_id == mark])
            except RoutingError as error:
                if error.kind is not Kind.REFUSED:
                    raise
                complaints.append(Complaint(services[mark], REFUSED, str(error)))
        return complaints

    def _send(self, routes: Collection[TcpRoute]) -> None:
        try:
            self._register_all(routes)
        except RoutingError as error:
            if not self._takes_less(error):
                raise
            self._register_all(routes)

    def _register_all(self, routes: Collection[TcpRoute]) -> None:
        bodies = [route._replace(ttl=self._ttl).mapped() for route in routes]
        for start in range(0, len(bodies), BATCH):
            self._api.register(bodies[start : start + BATCH])

    def _takes_less(self, error: RoutingError) -> bool:
        """Whether the server named the longest TTL it takes, which is ours from now on."""
        found = _MAXIMUM.search(str(error)) if error.kind is Kind.REFUSED else None
        most = int(found[1] or found[2]) if found else 0
        if not 0 < most < self._ttl:
            return False
        self._ttl = most
        return True


_Identity = tuple[tuple[str, Any], ...]


def _identity(route: Mapped) -> _Identity:
    """What tells one mapping from another, however a server writes what is not set."""
    return tuple((word, route[word]) for word in KEY if route.get(word) not in (None, 0, "", False))


def _port(route: Mapped) -> tuple[Any, Any]:
    return route.get("router_group_guid"), route.get("port")


def _holders(listed: Iterable[Mapped], group: RouterGroup) -> dict[int, frozenset[str]]:
    """The marks at each port of the group."""
    found: dict[int, set[str]] = {}
    for route in listed:
        if route.get("router_group_guid") == group.guid and isinstance(route.get("port"), int):
            found.setdefault(route["port"], set()).add(str(route.get("instance_id") or ""))
    return {port: frozenset(marks) for port, marks in found.items()}
