"""HttpRoutes: what is said on NATS so that the HTTP routers have the routes that are wished for, and no others."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent.nats_protocol import Message
from kubo_sdk_cfrouting.agent.routes_claims import Hosts
from kubo_sdk_cfrouting.agent.routes_hosts import Heard, HttpRoute

REGISTER, UNREGISTER, GREET, START = "router.register", "router.unregister", "router.greet", "router.start"

INTERVAL_SECONDS = 20.0
SHORTEST_INTERVAL = 1.0
# Routers drop a route of ours that was not repeated for so long, as they drop others after 120 s: a cluster that is
# gone without a word must not stay in the way.
STALE_SECONDS = 60
# NATS may lose a message, and nobody says that he got it.
UNREGISTRATIONS = 5
UNREGISTER_PAUSE = 1.0
HURRIED_PAUSE = 0.1


class _Leaving(NamedTuple):
    left: int
    at: float


class HttpRoutes:
    """A `Listener` of NATS.  Thread-safe.  ``domain`` is that of the apps.

    Whoever holds a host name repeats it every 20 s, so after *listen* seconds on NATS all of them are known; no new
    host name is taken before.  *changed* is called when that is the case.
    """

    def __init__(
        self,
        prefix: str,
        domain: str,
        listen: float,
        changed: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.domain = domain
        self._inbox = f"_INBOX.kubo.{secrets.token_hex(8)}"
        self.subjects = (self._inbox, START, REGISTER, UNREGISTER)
        self._listen = listen
        self._changed = changed
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._heard = Heard(prefix, domain)
        self._routes: dict[HttpRoute, float] = {}  # and when each is due
        self._leaving: dict[HttpRoute, _Leaving] = {}
        self._pause = UNREGISTER_PAUSE
        self._holding = False
        self._interval = INTERVAL_SECONDS
        self._settles_at: float | None = None
        self._settled = False
        self._forget_at = 0.0

    # -- called by whoever decides

    def hosts(self) -> Hosts:
        """Who has which host name."""
        with self._lock:
            ours: dict[str, set[str]] = {}
            for route in (*self._routes, *self._heard.ours):
                ours.setdefault(route.host, set()).add(route.mark)
            marks = {host: frozenset(found) for host, found in ours.items()}
            return Hosts(marks, self._heard.foreign, self._settled)

    def lead(self, routes: Iterable[HttpRoute]) -> None:
        """Have these and no others, also none of an earlier leader."""
        wished = dict.fromkeys(routes)
        with self._lock:
            now = self._monotonic()
            self._holding = False
            known = {*self._routes, *(self._heard.ours if self._settled else ())}
            self._take_back(known - wished.keys(), now)
            for route in wished:
                self._leaving.pop(route, None)
            self._routes = {route: self._routes.get(route, now) for route in wished}

    def hold(self) -> None:
        """Repeat what there is until another leader is heard."""
        with self._lock:
            self._holding = True

    def rest(self) -> None:
        """Another leads, and repeats them."""
        with self._lock:
            self._routes.clear()
            self._leaving.clear()

    def withdraw(self, wished: Iterable[HttpRoute]) -> None:
        """Take all of them back, in haste; *wished* as well, for an earlier leader may have had them."""
        with self._lock:
            self._pause = HURRIED_PAUSE
            self._take_back({*wished, *self._routes, *self._heard.ours}, self._monotonic())
            self._routes = {}

    @property
    def idle(self) -> bool:
        """Whether everything that is taken back was said often enough."""
        with self._lock:
            return not self._leaving

    @property
    def count(self) -> int:
        """Of host names."""
        with self._lock:
            return len({route.host for route in self._routes})

    @property
    def heard_count(self) -> int:
        """Of host names that the leader was heard to have."""
        with self._lock:
            return len({route.host for route in self._heard.ours})

    def _take_back(self, routes: Iterable[HttpRoute], now: float) -> None:
        for route in routes:
            self._heard.disown(route)
            self._leaving[route] = _Leaving(UNREGISTRATIONS, now)

    # -- called by the client of NATS

    def opened(self) -> Iterable[Message]:
        with self._lock:
            now = self._monotonic()
            self._settles_at = now + self._listen
            self._repeat(now)
            return (Message(GREET, self._inbox, b"{}"),)

    def closed(self) -> None:
        with self._lock:
            self._settles_at, self._settled = None, False

    def heard(self, message: Message) -> None:
        now = self._monotonic()
        with self._lock:
            if message.subject == REGISTER:
                if self._heard.registered(message.payload, now) and self._holding:
                    self._routes.clear()
            elif message.subject == UNREGISTER:
                for route in self._heard.unregistered(message.payload):
                    self._contradicted(route, now)
            else:
                self._interval = min(self._interval, interval_of(message.payload))
                self._repeat(now)

    def due(self) -> Iterable[Message]:
        now = self._monotonic()
        with self._lock:
            self._note_time(now)
            said = [*self._unregistrations(now)]
            for route, at in self._routes.items():
                if at <= now:
                    self._routes[route] = now + self._interval
                    said.append(Message(REGISTER, "", registration(route)))
            return said

    def _unregistrations(self, now: float) -> list[Message]:
        due = [route for route, each in self._leaving.items() if each.at <= now]
        for route in due:
            left = self._leaving.pop(route).left - 1
            if left:
                self._leaving[route] = _Leaving(left, now + self._pause)
        return [Message(UNREGISTER, "", registration(route)) for route in due]

    def _contradicted(self, route: HttpRoute, now: float) -> None:
        """One of us, who led before or leads now, took it back."""
        if route in self._routes:
            if self._holding:
                del self._routes[route]
            else:
                self._routes[route] = now

    def _repeat(self, now: float) -> None:
        """There may be routers that know nothing yet."""
        self._routes = dict.fromkeys(self._routes, now)

    def _note_time(self, now: float) -> None:
        if self._settles_at is not None and not self._settled and now >= self._settles_at:
            self._settled = True
            self._changed()
        if now >= self._forget_at:
            self._forget_at = now + 1.0
            self._heard.forget(now)


def registration(route: HttpRoute) -> bytes:
    """What is said of it, the same to register and to unregister."""
    said: dict[str, Any] = {
        "host": route.address,
        "port": route.port,
        "uris": [route.host],
        "private_instance_id": route.instance,
        "stale_threshold_in_seconds": STALE_SECONDS,
        "tags": {"component": "kubo"},
    }
    return json.dumps(said).encode()


def interval_of(payload: bytes) -> float:
    """How often a router wants to hear of routes, and no less often than is usual."""
    try:
        wished = float(json.loads(payload)["minimumRegisterIntervalInSeconds"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return INTERVAL_SECONDS
    return min(max(wished, SHORTEST_INTERVAL), INTERVAL_SECONDS)
