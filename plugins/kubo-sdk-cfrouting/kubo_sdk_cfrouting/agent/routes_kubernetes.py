"""The Kubernetes API as far as it is needed: objects, lists in pages, and watches read line by line."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode

from kubo_sdk_cfrouting.agent.settings import Api

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 8.0
LIST_SECONDS = 30.0
WATCH_SECONDS = 240
PAGE = 500
# A peer that vanished is noticed after so long, however quiet a watch is.
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 20000}

NOT_FOUND, CONFLICT, GONE = 404, 409, 410

Object = dict[str, Any]


class ApiError(Exception):
    """What went wrong, in words; ``status`` is 0 where nobody answered."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Kubernetes:
    """Every call has a connection of its own.  Thread-safe.  Raises OSError for PEM files that cannot be used."""

    def __init__(self, access: Api) -> None:
        self._access = access
        self._url = f"https://{access.host}:{access.port}"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(access.ca)
        self._context.load_cert_chain(access.certificate, access.key)

    def get(self, path: str) -> Object:
        return self._whole("GET", path)

    def create(self, path: str, body: Mapping[str, Any]) -> Object:
        return self._whole("POST", path, body)

    def replace(self, path: str, body: Mapping[str, Any]) -> Object:
        """ApiError 409 when somebody else changed it since it was read."""
        return self._whole("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Object:
        """As a merge patch."""
        return self._whole("PATCH", path, body, "application/merge-patch+json")

    def page(self, path: str, *, more: str = "", fresh: bool = False) -> Object:
        """A list, or its first page.

        What an API server has in its cache is good enough unless it has to be *fresh*; only etcd's own come in pages.
        """
        query = {"limit": str(PAGE), "continue": more} if fresh or more else {"resourceVersion": "0"}
        return self._whole("GET", f"{path}?{urlencode(query)}", seconds=LIST_SECONDS)

    def watch(self, path: str, version: str, on_open: Callable[[], None]) -> Iterator[Object]:
        """The events after *version*, until the server ends it.  *on_open* is called once it has begun."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._ask("GET", f"{path}?{urlencode(query)}", {}, None, WATCH_SECONDS + LIST_SECONDS) as response:
            on_open()
            while line := response.readline():
                yield json.loads(line)

    def _whole(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        kind: str = "application/json",
        seconds: float = ANSWER_SECONDS,
    ) -> Object:
        text = None if body is None else json.dumps(body).encode()
        headers = {} if text is None else {"Content-Type": kind}
        with self._ask(method, path, headers, text, seconds) as response:
            content = response.read()
        try:
            found = json.loads(content)
        except ValueError:
            raise ApiError(f"the API at {self._url} answers something that is no JSON") from None
        if not isinstance(found, dict):
            raise ApiError(f"the API at {self._url} answers something that is no object")
        return found

    @contextmanager
    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Iterator[HTTPResponse]:
        """Raises ApiError, also for what breaks while the answer is read."""
        try:
            with closing(self._connect()) as connection:
                connection.sock.settimeout(seconds)
                connection.request(method, path, body=body, headers={"Accept": "application/json", **headers})
                yield self._checked(connection.getresponse())
        except (OSError, HTTPException) as error:
            raise ApiError(f"the API at {self._url} does not answer: {error or type(error).__name__}") from error

    def _checked(self, response: HTTPResponse) -> HTTPResponse:
        if response.status in (200, 201):
            return response
        try:
            said = str(json.loads(response.read(1 << 16))["message"])
        except (ValueError, KeyError, TypeError):
            said = response.reason
        raise ApiError(f"the API at {self._url} answers {response.status}: {said[:300]}", response.status)

    def _connect(self) -> HTTPSConnection:
        access = self._access
        connection = HTTPSConnection(access.host, access.port, timeout=CONNECT_SECONDS, context=self._context)
        connection.connect()
        for option, value in KEEPALIVE.items():
            connection.sock.setsockopt(socket.IPPROTO_TCP, option, value)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection
