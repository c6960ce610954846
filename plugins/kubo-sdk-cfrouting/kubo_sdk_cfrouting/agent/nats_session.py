"""Session: one connection to one server of NATS, over TLS where that is wanted.

Everything happens in one thread: OpenSSL's connections are not for two at once.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubo_sdk_cfrouting.agent import nats_protocol as protocol
from kubo_sdk_cfrouting.agent.nats_protocol import Message, Parser, ProtocolError, Told

PATIENCE_SECONDS = 5.0
_BLOCK = 1 << 16


class NatsError(Exception):
    """One sentence: what, where, what to do."""


class EndedError(NatsError):
    """The other side ended the connection, and did not say why."""


class Server(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Login(NamedTuple):
    """``tls``: None for a plain connection.  ``server_name``: what certificates must be for, empty for the host."""

    username: str
    password: str
    tls: ssl.SSLContext | None
    server_name: str = ""


class Session:
    """Raises NatsError.  *wake* is a socket whose readability ends a wait."""

    def __init__(self, server: Server, login: Login, wake: socket.socket) -> None:
        self._server = server
        self._wake = wake
        self._parser = Parser()
        try:
            self._socket: socket.socket = socket.create_connection(server, PATIENCE_SECONDS)
        except OSError as error:
            raise self._broken(error) from None
        try:
            self._shake_hands(login)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(PATIENCE_SECONDS)
            self._socket.sendall(data)
        except OSError as error:
            raise self._broken(error) from None

    def wait(self, seconds: float) -> Iterator[Message | Told]:
        """What came within *seconds*, or until somebody wakes it; perhaps nothing."""
        yield from self._parser.feed(b"")  # what was not taken the last time
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        ready = [self._socket] if pending else select.select([self._socket, self._wake], [], [], max(0.0, seconds))[0]
        if self._wake in ready:
            self._wake.recv(_BLOCK)
        if self._socket in ready:
            try:
                yield from self._parser.feed(self._receive())
            except ProtocolError as error:
                raise self._strange(error) from None

    def _receive(self) -> bytes:
        """What is there, perhaps nothing: TLS has messages of its own."""
        try:
            self._socket.settimeout(0)
            block = self._socket.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise self._broken(error) from None
        if not block:
            raise EndedError(f"the NATS server {self._server} closed the connection")
        return block

    def _shake_hands(self, login: Login) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            info = self._expect("INFO").info()
        except ProtocolError as error:
            raise self._strange(error) from None
        offered = bool(info.get("tls_required") or info.get("tls_available") or info.get("tls_verify"))
        if login.tls is not None:
            if not offered:
                raise NatsError(f"the NATS server {self._server} offers no TLS; correct the port, or set nats.plain")
            self._encrypt(login.tls, login.server_name or self._server.host)
        elif info.get("tls_required"):
            raise NatsError(f"the NATS server {self._server} wants TLS; leave out nats.plain")
        try:
            self.send(protocol.connect(_options(login)) + protocol.PING)
            self._expect("PONG")
        except EndedError:
            # A server that refuses a certificate says so, but what we send meanwhile may end the connection before.
            if login.tls is None:
                raise
            raise self._unwanted("it ended the connection") from None

    def _encrypt(self, context: ssl.SSLContext, name: str) -> None:
        if not self._parser.empty:  # somebody put words of his own before the encrypted ones
            raise NatsError(f"the NATS server {self._server} goes on in plain text; do not trust it")
        try:
            self._socket.settimeout(PATIENCE_SECONDS)
            self._socket = context.wrap_socket(self._socket, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raise NatsError(
                f"the certificate of the NATS server {self._server} is not accepted: {error.verify_message}; "
                "name the authority that signed it in nats.ca_file, or what it is for in nats.server_name"
            ) from None
        except OSError as error:
            raise self._broken(error) from None

    def _expect(self, word: str) -> Told:
        """The next thing told that is not idle talk."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            for told in self.wait(left):
                if isinstance(told, Told) and told.word == word:
                    return told
                if isinstance(told, Told) and told.word == "-ERR":
                    raise self.refusal(told.text)
        raise NatsError(f"the NATS server {self._server} says nothing; check that it is one")

    def refusal(self, text: str) -> NatsError:
        said = text.strip("'")
        hint = "; check username and password" if "authorization" in said.lower() else ""
        return NatsError(f"the NATS server {self._server} says {said!r}{hint}")

    def _broken(self, error: OSError) -> NatsError:
        reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
        if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
            return self._unwanted(reason)
        said = str(error) or type(error).__name__
        kind = EndedError if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLEOFError) else NatsError
        return kind(f"the NATS server {self._server} does not answer: {said}; check the server")

    def _unwanted(self, reason: str) -> NatsError:
        return NatsError(
            f"the NATS server {self._server} refuses our certificate or misses one ({reason}); "
            "give one that its authorities signed in nats.certificate_file"
        )

    def _strange(self, error: ProtocolError) -> NatsError:
        return NatsError(f"{self._server} does not speak NATS: {error}; check the port")


def _options(login: Login) -> dict[str, Any]:
    options: dict[str, Any] = {
        "verbose": False,
        "pedantic": False,
        "tls_required": login.tls is not None,
        "lang": "python",
        "version": "1",
        "name": "kubo-cf-routes",
        "protocol": 1,
        # What we say ourselves must not look like another's.
        "echo": False,
    }
    if login.username or login.password:
        options |= {"user": login.username, "pass": login.password}
    return options
