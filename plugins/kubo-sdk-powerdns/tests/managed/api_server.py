"""An API server as far as its health goes: TLS, and /readyz, which says no while the file NOT-READY lies there."""

from __future__ import annotations

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = self.path == "/readyz" and not Path(f"{sys.argv[2]}.{sys.argv[1]}.not-ready").exists()
        self.send_response(200 if ready else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()


server = ThreadingHTTPServer((sys.argv[1], 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
