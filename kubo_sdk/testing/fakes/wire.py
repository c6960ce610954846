"""The wire of the fakes: HTTPS servers on loopback, one thread that accepts and one for each connection."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

Socket = socket.socket

LARGEST_HEAD = 65536
# How long a client may take over a handshake or an answer, in real seconds.
PATIENCE = 10
JOIN_SECONDS = 0.05
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found"}


@frozen(kw_only=True)
class Request:
    """One request.  ``client`` is the subject of the client's certificate by attribute name, empty without one."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    client: Mapping[str, str]


@frozen(kw_only=True)
class Reply:
    """One answer.  ``lines`` makes it a stream that goes on until it is exhausted."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    lines: Iterable[bytes] | None = None


class Dropped(Exception):
    """The server breaks the connection off without an answer."""


@define(eq=False, kw_only=True)
class Listener:
    """A port that answers by *handle*.  *route* sends a new connection to another listener; None refuses it."""

    address: tuple[str, int]
    handle: Callable[[Request], Reply] | None = None
    context: ssl.SSLContext | None = None
    route: Callable[[], Listener | None] | None = None
    door: Socket | None = None
    connections: set[Socket] = field(factory=set)
    is_open: bool = False


def server_context(certificate: bytes, key: bytes, client_ca: bytes, *, required: bool) -> ssl.SSLContext:
    """The TLS side of a server that asks its clients for a certificate of *client_ca*.  All PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0
    context.load_verify_locations(cadata=client_ca.decode())
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    descriptor = os.memfd_create("kubo-fake-key")
    try:
        os.write(descriptor, certificate + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context


class Doorman:
    """Accepts for every listener of one cloud.  Thread-safe."""

    def __init__(self, working: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._working = working
        self._lock = threading.Lock()
        self._poll = select.epoll()
        self._doors: dict[int, Listener] = {}
        self._threads: set[threading.Thread] = set()
        self._open: set[socket.socket] = set()
        self._bell = os.eventfd(0)
        self._poll.register(self._bell, select.EPOLLIN)
        self._thread: threading.Thread | None = None

    def open(self, listener: Listener) -> None:
        """Listen from now on."""
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(listener.address)
        door.listen(512)
        door.setblocking(False)
        with self._lock:
            listener.door, listener.is_open = door, True
            self._doors[door.fileno()] = listener
            self._poll.register(door.fileno(), select.EPOLLIN)
            if self._thread is None:
                self._thread = threading.Thread(target=self._accept, name="kubo-fake-doorman", daemon=True)
                self._thread.start()

    def shut(self, listener: Listener) -> None:
        """Refuse new connections and break off those there are."""
        with self._lock:
            door, listener.door, listener.is_open = listener.door, None, False
            if door is not None:
                self._poll.unregister(door.fileno())
                self._doors.pop(door.fileno(), None)
                door.close()
        break_off(listener)

    def close(self) -> None:
        """End every connection and every thread."""
        for listener in tuple(self._doors.values()):
            self.shut(listener)
        if self._thread is not None:
            os.eventfd_write(self._bell, 1)
            self._thread.join()
            self._thread = None
        while threads := tuple(self._threads):
            # Again and again: a connection in its handshake has a socket that is not known yet.
            _shut_down(self._open)
            threads[0].join(JOIN_SECONDS)
        if not self._poll.closed:
            self._poll.close()
            os.close(self._bell)

    def _accept(self) -> None:
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._bell:
                    return
                with self._lock:
                    listener = self._doors.get(descriptor)
                if listener is not None:
                    self._accept_all(listener)

    def _accept_all(self, listener: Listener) -> None:
        while (door := listener.door) is not None:
            try:
                plain, _ = door.accept()
            except OSError:
                return
            chosen = listener.route() if listener.route is not None else listener
            if chosen is None or not chosen.is_open:
                plain.close()
                continue
            thread = threading.Thread(
                target=self._serve, args=(plain, listener, chosen), name="kubo-fake-connection", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def _serve(self, plain: socket.socket, door: Listener, listener: Listener) -> None:
        held = {id(each): each for each in (door, listener)}.values()
        self._open.add(plain)
        for each in held:
            each.connections.add(plain)
        try:
            with contextlib.suppress(OSError, Dropped, ValueError):
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._converse(plain, door, listener)
        finally:
            for each in held:
                each.connections.discard(plain)
            self._open.discard(plain)
            plain.close()
            self._threads.discard(threading.current_thread())

    def _converse(self, plain: socket.socket, door: Listener, listener: Listener) -> None:
        assert listener.context is not None, "a listener that answers has an identity"
        assert listener.handle is not None, "a listener that answers has a handler"
        _bound_waits(plain, socket.SO_SNDTIMEO, PATIENCE)
        _bound_waits(plain, socket.SO_RCVTIMEO, PATIENCE)
        with self._working():
            secure = listener.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=True)
        _bound_waits(secure, socket.SO_RCVTIMEO, 0)
        self._open.add(secure)
        door.connections.add(secure)
        listener.connections.add(secure)
        try:
            client = _subject(secure.getpeercert())
            for request in _requests(secure, client):
                if not (door.is_open and listener.is_open):
                    return
                with self._working():
                    reply = listener.handle(request)
                    secure.sendall(_head(reply) + (b"" if reply.lines is not None else reply.body))
                if reply.lines is not None:
                    _stream(secure, reply.lines)
        finally:
            door.connections.discard(secure)
            listener.connections.discard(secure)
            self._open.discard(secure)
            secure.close()


def break_off(listener: Listener) -> None:
    """Break every connection of the listener off."""
    _shut_down(listener.connections)


def _shut_down(connections: Iterable[Socket]) -> None:
    for connection in tuple(connections):
        with contextlib.suppress(OSError):
            # SSLSocket.shutdown would take the TLS state away from under the thread that reads.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _bound_waits(connection: Socket, option: int, seconds: int) -> None:
    """Let the kernel end a wait for the other side; 0 is for ever."""
    connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))


def _requests(secure: ssl.SSLSocket, client: Mapping[str, str]) -> Iterator[Request]:
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            piece = secure.recv(LARGEST_HEAD)
            if not piece:
                return
            buffer += piece
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        pieces, have = [buffer], len(buffer)
        while have < length:
            piece = secure.recv(LARGEST_HEAD)
            if not piece:
                return
            pieces.append(piece)
            have += len(piece)
        whole = b"".join(pieces)
        body, buffer = whole[:length], whole[length:]
        path, _, query = target.partition("?")
        yield Request(method=method, path=path, query=_query(query), headers=headers, body=body, client=client)


def _query(text: str) -> Mapping[str, str]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 (few requests have one)

    return dict(parse_qsl(text, keep_blank_values=True)) if text else {}


def _head(reply: Reply) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Status')}",
        "Content-Type: application/json",
        f"Content-Length: {len(reply.body)}" if reply.lines is None else "Transfer-Encoding: chunked",
        *(f"{name}: {value}" for name, value in reply.headers),
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


def _stream(secure: ssl.SSLSocket, lines: Iterable[bytes]) -> None:
    for line in lines:
        secure.sendall(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
    secure.sendall(b"0\r\n\r\n")


def _subject(certificate: Mapping[str, Any] | None) -> Mapping[str, str]:
    parts = (certificate or {}).get("subject", ())
    return {name: value for part in parts for name, value in part}
