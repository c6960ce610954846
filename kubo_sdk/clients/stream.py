"""LineStream: a response without an end, read line by line until someone closes it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from threading import Lock
from types import TracebackType

from kubo_sdk.clients.connection import Address, Request, ask, read, text
from kubo_sdk.errors import Unavailable

READ_AT_ONCE = 65536


class LineStream:
    """Iterate it once for the lines, without their line ends.  `close` ends the iteration, from any thread."""

    def __init__(self, connection: HTTPSConnection, address: Address, request: Request, what: str) -> None:
        self._connection = connection
        self._socket = connection.sock
        self._address = address
        self._closed = False
        self._reading = Lock()
        self._response = ask(connection, address, request)
        if self._response.status >= 300:
            read(self._response, address).check(what)

    def wait_at_most(self, seconds: float | None) -> None:
        """Bound the silence between two lines; None waits for ever."""
        self._socket.settimeout(seconds)

    def __iter__(self) -> Iterator[bytes]:
        """The lines until the server ends the response or `close` is called.  Raises Unavailable when it breaks."""
        unfinished = b""
        while piece := self._read():
            *lines, unfinished = (unfinished + piece).split(b"\n")
            yield from lines
        if unfinished and not self._closed:
            yield unfinished

    def _read(self) -> bytes:
        """What has arrived; empty at the end.  Unlike readline, read1 tells an answer cut short from one that ends."""
        try:
            with self._reading:
                return b"" if self._closed else self._response.read1(READ_AT_ONCE)
        except (OSError, HTTPException, ValueError) as error:
            if self._closed:
                return b""
            raise Unavailable(f"the stream from {text(self._address)} broke off") from error

    def close(self) -> None:
        """End the stream.  May be called from another thread and more than once."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):
            # SSLSocket.shutdown would take the TLS state away from under a reading thread; this only wakes it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        with self._reading:
            self._response.close()
            self._connection.close()

    def __enter__(self) -> LineStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
