"""An API server as far as readiness goes: a TLS server of one path that can hang, refuse, or be unready."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .standin.authority import Authority


class ApiServer:
    """``answer``: status and body of /readyz.  `hang` lets nobody have one; `stop` and `start` keep the port."""

    def __init__(self, directory: Path) -> None:
        self.authority = Authority("cluster")
        self.ca = directory / "api-ca.pem"
        self.ca.write_text(self.authority.pem)
        self.client = self.authority.client(directory / "api-client.pem")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority.server(directory / "api-server.pem", "127.0.0.1"))
        self.answer = (200, "ok")
        self.port = 0
        self.going_on = threading.Event()
        self.going_on.set()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.going_on.wait()
                status, body = outer.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def hang(self) -> None:
        self.going_on.clear()

    def stop(self) -> None:
        self.going_on.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""
