"""HTTP/1.1 as far as etcd's and Kubernetes' JSON APIs need it: one connection, and streams read line by line.

Not `http.client`: a read there cannot go on after it timed out, and one thread both follows a watch and renews a lease.
"""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple

CONNECT_SECONDS = 3.0
PATIENCE_SECONDS = 10.0  # for a handshake or a reply: a member that has no quorum yet takes connections and is silent
_BLOCK = 65536


class Credentials(NamedTuple):
    """Paths of PEM files."""

    ca: str
    certificate: str
    key: str


class Reply(NamedTuple):
    status: int
    body: bytes


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """A client context that trusts one CA and shows one certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(credentials.ca)
    context.load_cert_chain(credentials.certificate, credentials.key)
    return context


class Dechunker:
    """Takes the frames of ``Transfer-Encoding: chunked`` off, however the bytes are cut."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._left = 0  # bytes of the current chunk still to come
        self._tail = False  # the line end after a chunk is still to come
        self.done = False

    def feed(self, block: bytes) -> bytes:
        """The payload in *block* and what was kept of earlier ones."""
        self._raw += block
        out = bytearray()
        while not self.done:
            if self._left:
                piece = self._raw[: self._left]
                del self._raw[: len(piece)]
                self._left -= len(piece)
                self._tail = not self._left
                out += piece
                if self._left:
                    break
            elif not self._next_size():
                break
        return bytes(out)

    def _next_size(self) -> bool:
        start = 2 if self._tail else 0
        end = self._raw.find(b"\r\n", start)
        if end < 0:
            return False
        self._left = int(bytes(self._raw[start:end]).split(b";")[0], 16)
        del self._raw[: end + 2]
        self._tail = False
        self.done = self._left == 0
        return True


class Connection:
    """One connection to one server.  Raises OSError (ConnectionError, TimeoutError, ssl.SSLError) when it breaks."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.host = host
        self._patience = patience
        raw = socket.create_connection((host, port), CONNECT_SECONDS)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            detect_dead_peer(raw)
            raw.settimeout(patience)
            self._socket = context.wrap_socket(raw, server_hostname=host) if context else raw
        except BaseException:
            raw.close()
            raise
        self._buffer = bytearray()
        self._body: Dechunker | None = None
        self._plain_left = 0

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """To wait on, after `line` found nothing."""
        return self._socket.fileno()

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Ask and read the whole answer."""
        status = self.open(method, path, body, headers)
        content = bytearray()
        while not self._ended():
            content += self._read()
        return Reply(status, bytes(content))

    def open(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Ask, read the head of the answer and return its status; the body is left for `line` or `request`."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.settimeout(self._patience)
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._buffer += self._receive()
        head = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        rest = bytes(self._buffer[end + 4 :])
        self._buffer.clear()
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        self._body = Dechunker() if fields.get("transfer-encoding", "").lower() == "chunked" else None
        self._plain_left = int(fields.get("content-length", 0))
        self._buffer += self._payload(rest)
        return int(head[0].split(" ")[1])

    def line(self, timeout: float) -> bytes | None:
        """The next line of a streamed body, or None when *timeout* seconds passed; ConnectionError at its end."""
        self._socket.settimeout(max(timeout, 0.001))
        while (end := self._buffer.find(b"\n")) < 0:
            if self._finished():
                raise ConnectionError("the server ended the stream")
            try:
                self._buffer += self._payload(self._receive())
            except TimeoutError:
                return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _finished(self) -> bool:
        return self._body.done if self._body else self._plain_left == 0

    def _ended(self) -> bool:
        return self._finished() and not self._buffer

    def _read(self) -> bytes:
        if not self._buffer:
            return self._payload(self._receive())
        block = bytes(self._buffer)
        self._buffer.clear()
        return block

    def _payload(self, block: bytes) -> bytes:
        if self._body:
            return self._body.feed(block)
        self._plain_left -= len(block)
        return block

    def _receive(self) -> bytes:
        block = self._socket.recv(_BLOCK)
        if not block:
            raise ConnectionError("the server closed the connection")
        return block


def detect_dead_peer(raw: socket.socket) -> None:
    """Let the kernel notice within half a minute that a quiet peer is gone."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 25000)
