"""The TCP router: it lists the routes, follows the stream of events, and has HAProxy serve what it knows."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from attrs import define, field

from .haproxy import Haproxy
from .routing_api import Key, key_of

SECRET = "router-secret"
PAUSE_SECONDS = 0.2


@define
class Entry:
    route: dict[str, Any]
    known_at: float


@define(eq=False)
class TcpRouter:
    """Lists every ``sync_seconds``, and forgets by itself what nobody renewed.  ``applied``: (time, backends) of every
    table HAProxy took over.  An event is newer when its tag has another guid or a greater index; a delete also when
    it is equal.
    """

    uaa_url: str
    api_url: str
    ca_file: str
    haproxy: Haproxy
    group: str
    sync_seconds: float = 30.0
    prune_seconds: float = 2.0
    applied: list[tuple[float, tuple[str, ...]]] = field(factory=list)
    _table: dict[Key, Entry] = field(factory=dict)
    _served: Any = None
    _lock: threading.RLock = field(factory=threading.RLock)
    _ended: threading.Event = field(factory=threading.Event)

    def start(self) -> None:
        self._apply()
        for run in (self._follow, self._sync_for_ever, self._prune_for_ever):
            threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        with self._lock:
            self.haproxy.stop()

    def _follow(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError, HTTPException, ValueError, KeyError):
                self._subscribe()
            self._ended.wait(PAUSE_SECONDS)

    def _subscribe(self) -> None:
        connection, token = self._connect(self.api_url), self._token()
        headers = {"Authorization": f"bearer {token}"}
        with contextlib.closing(connection):
            connection.request("GET", "/routing/v1/tcp_routes/events", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return
            # What happened before is in the list; what happens from now on is in the stream.
            self.sync()
            if connection.sock is not None:
                connection.sock.settimeout(None)
            event = ""
            while line := response.readline().decode():
                if line.startswith("event: "):
                    event = line[7:].strip()
                elif line.startswith("data: "):
                    self._handle(event, json.loads(line[6:]))

    def sync(self) -> None:
        connection = self._connect(self.api_url)
        with contextlib.closing(connection):
            connection.request("GET", "/routing/v1/tcp_routes", headers={"Authorization": f"bearer {self._token()}"})
            response = connection.getresponse()
            if response.status != 200:
                raise ValueError(response.status)
            found = json.loads(response.read())
        with self._lock:
            now = time.monotonic()
            self._table = {key_of(route): Entry(route, now) for route in found if self._is_mine(route)}
            self._apply()

    def _sync_for_ever(self) -> None:
        while not self._ended.wait(self.sync_seconds):
            with contextlib.suppress(OSError, HTTPException, ValueError, KeyError):
                self.sync()

    def _prune_for_ever(self) -> None:
        while not self._ended.wait(self.prune_seconds):
            with self._lock:
                now = time.monotonic()
                self._table = {
                    key: entry for key, entry in self._table.items() if entry.known_at + entry.route["ttl"] > now
                }
                self._apply()

    def _handle(self, event: str, route: dict[str, Any]) -> None:
        with self._lock:
            key = key_of(route)
            old = self._table.get(key)
            if not self._is_mine(route) or (old is not None and not _is_newer(event, old.route, route)):
                return
            if event == "Delete":
                self._table.pop(key, None)
            else:
                self._table[key] = Entry(route, time.monotonic())
            self._apply()

    def _is_mine(self, route: dict[str, Any]) -> bool:
        return bool(route["router_group_guid"] == self.group)

    def _apply(self) -> None:
        """A new HAProxy, where anything it would do is different."""
        table: dict[int, tuple[tuple[str, int], ...]] = {}
        for entry in self._table.values():
            route = entry.route
            backend = (route["backend_ip"], route["backend_port"])
            table[route["port"]] = tuple(sorted({*table.get(route["port"], ()), backend}))
        if table == self._served or self._ended.is_set():
            return
        self.haproxy.apply(table)
        self._served = table
        backends = tuple(f"{port}={host}:{inner}" for port, each in sorted(table.items()) for host, inner in each)
        self.applied.append((time.time(), backends))

    def _token(self) -> str:
        connection = self._connect(self.uaa_url)
        form = {"grant_type": "client_credentials", "client_id": "tcp_router", "client_secret": SECRET}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.closing(connection):
            connection.request("POST", "/oauth/token", urlencode(form), headers)
            return str(json.loads(connection.getresponse().read())["access_token"])

    def _connect(self, url: str) -> HTTPSConnection:
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=self.ca_file)
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=10, context=context)


def _is_newer(event: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    before, after = old["modification_tag"], new["modification_tag"]
    if not after["guid"] or before["guid"] != after["guid"]:
        return True
    return bool(after["index"] > before["index"] or (event == "Delete" and after["index"] == before["index"]))
