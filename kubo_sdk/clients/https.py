"""HttpsClient: requests over mutual TLS to the first of several equal endpoints that answers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPSConnection
from threading import Lock

from kubo_sdk.clients.connection import Address, NotReached, Request, ask, connect, is_open, read
from kubo_sdk.clients.response import Response
from kubo_sdk.clients.stream import LineStream
from kubo_sdk.clients.tls import client_context
from kubo_sdk.errors import Unavailable
from kubo_sdk.model.secret import Secret

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
BUSY = frozenset({502, 503, 504})


class HttpsClient:
    """Stays with the endpoint that answered last until it fails.  Thread-safe.

    *timeout* bounds connecting and every wait for bytes, in seconds.  Connections are kept open; no two threads use
    one at the same time.  The server must prove to be the host or IP address that the endpoint names.
    """

    def __init__(
        self,
        endpoints: Sequence[Address],
        ca: str,
        certificate: str | None = None,
        private_key: Secret | None = None,
        timeout: float = 5.0,
    ) -> None:
        if not endpoints:
            raise ValueError("an HttpsClient needs at least one endpoint")
        self.endpoints = tuple(endpoints)
        self._context = client_context(ca, certificate, private_key)
        self._timeout = timeout
        self._lock = Lock()
        self._idle: dict[Address, list[HTTPSConnection]] = {}
        weakref.finalize(self, _close_all, self._idle)
        self._first = 0

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        endpoint: Address | None = None,
    ) -> Response:
        """Send one request and return the answer, whatever its status; `Response.check` turns that into an error.

        An endpoint that cannot be reached is passed over.  One that breaks off later, or answers 502 to 504, is passed
        over only for *idempotent* requests (by default those HTTP calls so).  *endpoint* asks that one alone.  Raises
        Unavailable when none answers, AuthError when one side does not accept the other's certificate.
        """
        again = method in IDEMPOTENT_METHODS if idempotent is None else idempotent
        request = Request(method=method, path=path, body=body, headers=headers or {})
        busy: Response | None = None
        troubles: list[str] = []
        for address in (endpoint,) if endpoint else self._in_order():
            try:
                response = self._exchange(address, request, again)
            except Unavailable as error:
                self._avoid(address)
                if not (again or isinstance(error, NotReached)):
                    raise
                troubles.append(str(error))
                continue
            if response.status not in BUSY:
                return response
            self._avoid(address)
            if not again:
                return response
            busy = response
        if busy is not None:
            return busy
        raise Unavailable("; ".join(troubles))

    def stream(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
        what: str = "stream",
        endpoint: Address | None = None,
    ) -> LineStream:
        """Open a response without an end, on a connection of its own, and close it with `LineStream.close`.

        *silence* bounds the wait for the next line, in seconds; None waits for ever.  *endpoint* asks that one alone.
        Raises what `Response.check` raises when the server refuses.
        """
        request = Request(method=method, path=path, body=body, headers=headers or {})
        address, connection = self._connect_to_first(endpoint)
        try:
            stream = LineStream(connection, address, request, what)
            stream.wait_at_most(silence)
        except BaseException:
            connection.close()
            raise
        return stream

    def close(self) -> None:
        """Close the idle connections.  Happens by itself when the client is gone; it may be used again afterwards."""
        with self._lock:
            _close_all(self._idle)

    def _in_order(self) -> Iterator[Address]:
        """Every endpoint once, beginning with the one that answered last."""
        first = self._first
        yield from self.endpoints[first:] + self.endpoints[:first]

    def _avoid(self, address: Address) -> None:
        """Begin with another endpoint next time, unless another thread has moved on already."""
        with self._lock:
            if self.endpoints[self._first] == address:
                self._first = (self._first + 1) % len(self.endpoints)

    def _connect_to_first(self, endpoint: Address | None) -> tuple[Address, HTTPSConnection]:
        troubles: list[str] = []
        for address in (endpoint,) if endpoint else self._in_order():
            try:
                return address, connect(address, self._context, self._timeout)
            except NotReached as error:
                self._avoid(address)
                troubles.append(str(error))
        raise Unavailable("; ".join(troubles))

    def _exchange(self, address: Address, request: Request, again: bool) -> Response:
        """One request on an idle connection, or on a new one where there is none or it turns out to be dead."""
        idle = self._take(address)
        if idle is not None:
            try:
                return self._converse(idle, address, request)
            except Unavailable as error:
                if not again or isinstance(error.__cause__, TimeoutError):
                    raise
        return self._converse(connect(address, self._context, self._timeout), address, request)

    def _converse(self, connection: HTTPSConnection, address: Address, request: Request) -> Response:
        try:
            response = read(ask(connection, address, request), address)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            with self._lock:
                self._idle.setdefault(address, []).append(connection)
        return response

    def _take(self, address: Address) -> HTTPSConnection | None:
        while True:
            with self._lock:
                idle = self._idle.get(address)
                connection = idle.pop() if idle else None
            if connection is None or is_open(connection):
                return connection
            connection.close()


def _close_all(idle: dict[Address, list[HTTPSConnection]]) -> None:
    while idle:
        for connection in idle.popitem()[1]:
            connection.close()
