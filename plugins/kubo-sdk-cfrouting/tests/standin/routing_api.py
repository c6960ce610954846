"""The routing API: router groups, TCP routes that end by themselves, and the stream of what happens to them."""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from .uaa import READ, READ_GROUPS, WRITE, Uaa
from .web import Answer, Request

Key = tuple[Any, ...]
UNAUTHORIZED = "You are not authorized to perform the requested action"
SILENCE_SECONDS = 0.2


@define
class Row:
    route: dict[str, Any]
    expires_at: float


@define
class Refused(Exception):
    status: int
    name: str
    message: str


def key_of(route: dict[str, Any]) -> Key:
    return (
        route.get("router_group_guid"),
        route.get("port"),
        route.get("backend_ip"),
        route.get("backend_port"),
        route.get("backend_tls_port") or 0,
        route.get("backend_sni_hostname"),
        bool(route.get("enable_backend_mtls")),
    )


@define(eq=False)
class RoutingApi:
    """``history``: (time, ``Upsert`` or ``Delete`` or ``Prune``, backend) of every change.  ``failing``: the next so
    many requests get that status.  Runs from `start` to `stop`; its rows outlive that.
    """

    uaa: Uaa
    max_ttl: int = 120
    prune_seconds: float = 1.0
    calls: Counter[str] = field(factory=Counter)
    failing: list[int] = field(factory=list)
    groups: list[dict[str, str]] = field(factory=list)
    history: list[tuple[float, str, str]] = field(factory=list)
    _rows: dict[Key, Row] = field(factory=dict)
    _listeners: set[queue.Queue[str | None]] = field(factory=set)
    _lock: threading.RLock = field(factory=threading.RLock)
    _ended: threading.Event | None = None

    def __attrs_post_init__(self) -> None:
        self.add_group("default-tcp", "tcp", "1024-1123,8443,20000-40000")
        self.add_group("default-http", "http", "")

    def add_group(self, name: str, kind: str, ports: str) -> str:
        group = {"guid": str(uuid.uuid4()), "name": name, "type": kind, "reservable_ports": ports}
        self.groups.append(group)
        return group["guid"]

    def start(self) -> None:
        self._ended = threading.Event()
        threading.Thread(target=self._prune, args=(self._ended,), daemon=True).start()

    def stop(self) -> None:
        if self._ended is not None:
            self._ended.set()

    def routes(self) -> list[dict[str, Any]]:
        """What is there, without asking; what has ended is not, pruned or not."""
        with self._lock:
            now = time.monotonic()
            return [dict(row.route) for row in self._rows.values() if row.expires_at > now]

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.calls[f"{request.method} {request.path}"] += 1
            if self.failing:
                return _error(Refused(self.failing.pop(0), "DBCommunicationError", "the database is away"))
            try:
                return self._answer(request)
            except Refused as refused:
                return _error(refused)

    def _answer(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix("/routing/v1"):
            case "GET", "/router_groups":
                self._require(request, READ_GROUPS)
                return self._router_groups(request.query.get("name"))
            case "GET", "/tcp_routes":
                self._require(request, READ)
                return Answer(200, self.routes())
            case "POST", "/tcp_routes/create":
                routes = self._routes_in(request)
                self._require(request, WRITE)
                self._validate(routes)
                for route in routes:
                    self.save(route)
                return Answer(201)
            case "POST", "/tcp_routes/delete":
                routes = self._routes_in(request)
                self._require(request, WRITE)
                for route in routes:
                    _check(route)
                for route in routes:
                    self._remove(key_of(route), "Delete")
                return Answer(204)
            case "GET", "/tcp_routes/events":
                self._require(request, READ)
                listener: queue.Queue[str | None] = queue.Queue()
                self._listeners.add(listener)
                return Answer(200, self._events(listener))
        return Answer(404, b"404 page not found\n")

    def _require(self, request: Request, scope: str) -> None:
        """A bad token and a missing scope look the same."""
        if scope not in (self.uaa.scopes_of(request.headers.get("Authorization") or "") or ()):
            raise Refused(401, "UnauthorizedError", UNAUTHORIZED)

    def _router_groups(self, names: list[str] | None) -> Answer:
        if not names:
            return Answer(200, self.groups)
        found = [group for group in self.groups if group["name"] == names[0]]
        if not found:
            raise Refused(404, "ResourceNotFoundError", f"Router Group '{names[0]}' not found")
        return Answer(200, found)

    def _routes_in(self, request: Request) -> list[dict[str, Any]]:
        try:
            found = json.loads(request.body)
        except ValueError as error:
            raise _bad(str(error)) from None
        if not isinstance(found, list):
            raise _bad("json: cannot unmarshal object into Go value of type []models.TcpRouteMapping")
        return found

    def _validate(self, routes: list[dict[str, Any]]) -> None:
        """All or none."""
        guids = {group["guid"] for group in self.groups}
        for route in routes:
            _check(route)
            ttl = route.setdefault("ttl", self.max_ttl)
            if ttl > self.max_ttl:
                raise _bad(
                    f"Each tcp mapping requires TTL to be less than or equal to {self.max_ttl}. RouteMapping=[…]"
                )
            if ttl <= 0:
                raise _bad("Each tcp route mapping requires a ttl greater than 0")
            if route["router_group_guid"] not in guids:
                raise _bad(f"router_group_guid: {route['router_group_guid']} not found")

    def save(self, route: dict[str, Any]) -> None:
        """Make or renew a route, as anybody may."""
        with self._lock:
            key, old = key_of(route), self._rows.get(key_of(route))
            tag = dict(old.route["modification_tag"]) if old else {"guid": str(uuid.uuid4()), "index": -1}
            tag["index"] += 1
            kept = {"backend_tls_port": 0, "instance_id": "", "isolation_segment": "", "ttl": self.max_ttl, **route}
            self._rows[key] = Row({**kept, "modification_tag": tag}, time.monotonic() + kept["ttl"])
            self._tell("Upsert", self._rows[key].route)

    def _remove(self, key: Key, why: str) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._tell(why, row.route)

    def _tell(self, what: str, route: dict[str, Any]) -> None:
        self.history.append((time.time(), what, f"{route['backend_ip']}:{route['backend_port']}"))
        event = "Upsert" if what == "Upsert" else "Delete"
        for listener in self._listeners:
            listener.put(f"event: {event}\ndata: {json.dumps(route)}\n\n")

    def _events(self, listener: queue.Queue[str | None]) -> Iterator[bytes]:
        ended, number = self._ended, 0
        try:
            while ended is not None and not ended.is_set():
                try:
                    event = listener.get(timeout=SILENCE_SECONDS)
                except queue.Empty:
                    continue
                yield f"id: {number}\n{event}".encode()
                number += 1
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _prune(self, ended: threading.Event) -> None:
        while not ended.wait(self.prune_seconds):
            with self._lock:
                now = time.monotonic()
                for key in [key for key, row in self._rows.items() if row.expires_at <= now]:
                    self._remove(key, "Prune")


def _check(route: dict[str, Any]) -> None:
    if not route.get("router_group_guid"):
        raise _bad("Each tcp mapping requires a non empty router group guid. RouteMapping=[…]")
    if not (route.get("port") or 0) > 0:
        raise _bad("Each tcp mapping requires a positive external port. RouteMapping=[…]")
    if not route.get("backend_ip"):
        raise _bad("Each tcp mapping requires a non empty backend ip. RouteMapping=[…]")
    if (route.get("backend_port") or 0) <= 0 and (route.get("backend_tls_port") or 0) <= 0:
        raise _bad("Each tcp mapping requires a positive backend port. RouteMapping=[…]")


def _bad(message: str) -> Refused:
    return Refused(400, "ProcessRequestError", f"Cannot process request: {message}")


def _error(refused: Refused) -> Answer:
    return Answer(refused.status, {"name": refused.name, "message": refused.message})
