"""The Kubernetes API as far as it is needed: lists, and watches read line by line."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 30.0
WATCH_SECONDS = 240
PAGE = 500
# A peer that vanished is noticed after so long, however quiet a watch is.
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 20000}

GONE, NOT_FOUND = 410, 404


class ApiError(Exception):
    """What went wrong, in words; ``status`` is 0 where nobody answered."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Access(NamedTuple):
    """Where the API is, and the paths of PEM files."""

    url: str
    ca: str
    certificate: str
    key: str


class Api:
    """Every call has a connection of its own."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.url)
        self._url = access.url
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(access.ca)
        self._context.load_cert_chain(access.certificate, access.key)

    def page(self, path: str, *, more: str = "", fresh: bool = False) -> str:
        """The text of a list, or of its first page.

        What an API server has in its cache is good enough unless it has to be *fresh*; only etcd's own come in pages.
        """
        query = {"limit": str(PAGE), "continue": more} if fresh or more else {"resourceVersion": "0"}
        with self._ask(f"{path}?{urlencode(query)}", ANSWER_SECONDS) as response:
            return response.read().decode()

    def watch(self, path: str, version: str, on_open: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """The events after *version*, until the server ends it.  *on_open* is called once it has begun."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._ask(f"{path}?{urlencode(query)}", WATCH_SECONDS + ANSWER_SECONDS) as response:
            on_open()
            while line := response.readline():
                yield json.loads(line)

    @contextmanager
    def _ask(self, path: str, seconds: float) -> Iterator[HTTPResponse]:
        """Raises ApiError, also for what breaks while the answer is read."""
        try:
            with closing(self._connect()) as connection:
                connection.sock.settimeout(seconds)
                connection.request("GET", path, headers={"Accept": "application/json"})
                yield self._checked(connection.getresponse())
        except (OSError, HTTPException) as error:
            raise ApiError(f"the API at {self._url} does not answer: {error}") from error

    def _checked(self, response: HTTPResponse) -> HTTPResponse:
        if response.status == 200:
            return response
        raise ApiError(f"the API at {self._url} answers {response.status} {response.reason}", response.status)

    def _connect(self) -> HTTPSConnection:
        connection = HTTPSConnection(self._host, self._port, timeout=CONNECT_SECONDS, context=self._context)
        connection.connect()
        for option, value in KEEPALIVE.items():
            connection.sock.setsockopt(socket.IPPROTO_TCP, option, value)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection
