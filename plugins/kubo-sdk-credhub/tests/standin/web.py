"""A TLS server of HTTP/1.1 for JSON services, with a thread for each connection."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from attrs import frozen


@frozen(kw_only=True)
class Request:
    """``peer`` is the client certificate, DER."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str]
    peer: bytes | None

    def json(self) -> Any:
        return json.loads(self.body)


@frozen
class Answer:
    """A body of None is empty; bytes go as they are."""

    status: int
    body: Any = None


class Service(Protocol):
    def answer(self, request: Request) -> Answer | None:
        """The answer; None breaks the connection off."""
        ...


class WebServer:
    """Runs until `stop`; may be started again at the same port."""

    def __init__(self, service: Service, identity: Path, client_authorities: str | None = None) -> None:
        self.service = service
        self.port = 0
        self.delay = 0.0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(identity)
        if client_authorities is not None:
            self._context.verify_mode = ssl.CERT_OPTIONAL
            self._context.load_verify_locations(cadata=client_authorities)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self._context, self)
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
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path.rstrip("/"),
            query={key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()},
            body=self.rfile.read(length),
            headers=self.headers,
            peer=self.connection.getpeercert(binary_form=True),
        )
        time.sleep(self.server.owner.delay)
        answer = self.server.owner.service.answer(request)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not body:
            body = json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `calls`, not at lines."""
