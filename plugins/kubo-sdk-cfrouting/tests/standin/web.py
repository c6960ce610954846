"""A TLS server of HTTP/1.1 with a thread for each connection; an answer may be a stream that goes on."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from attrs import frozen


@frozen(kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes
    headers: Mapping[str, str]


@frozen
class Answer:
    """A body of None is empty, bytes go as they are, and an iterator is a stream of events."""

    status: int
    body: Any = None


class Service(Protocol):
    def answer(self, request: Request) -> Answer: ...


class WebServer:
    """Runs from `start` to `stop`, again and again at the same port.  ``delay``: seconds for each answer."""

    def __init__(self, service: Service, identity: Path, host: str, client_ca: str = "") -> None:
        self.service = service
        self.host, self.port = host, 0
        self.delay = 0.0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(identity)
        if client_ca:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(cadata=client_ca)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def start(self) -> None:
        if self._server is None:
            self._server = _Server(("0.0.0.0", self.port), self._context, self)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Also ends the connections that are open."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext, owner: WebServer) -> None:
        self.context = context
        self.owner = owner
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is done by the connection's own thread, so that a slow one keeps nobody waiting."""
        try:
            request.settimeout(30)
            secured = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        self.open.add(secured)
        try:
            super().finish_request(secured, client_address)
        finally:
            self.open.discard(secured)
            secured.close()

    def hang_up(self) -> None:
        for each in tuple(self.open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            headers=self.headers,
        )
        time.sleep(self.server.owner.delay)
        answer = self.server.owner.service.answer(request)
        if isinstance(answer.body, Iterator):
            self._stream(answer)
            return
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not body:
            body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815

    def _stream(self, answer: Answer) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in answer.body:
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `calls`, not at lines."""
