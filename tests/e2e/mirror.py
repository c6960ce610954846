"""A mirror of packages and releases behind a proxy that wants a password.  Run in a network namespace, with its port,
the directories it serves, and the proxy's USER:PASSWORD; a line for each request goes to standard output.

    mirror.py 8000 debian=/some/repository releases=/some/releases user:password

A request as one sends it to a proxy is answered by the proxy; what it asks for is here, whatever host it names.
"""

from __future__ import annotations

import base64
import http.server
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

DIRECTORIES: dict[str, Path] = {}
KEY = ""


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        wanted = f"Basic {base64.b64encode(KEY.encode()).decode()}"
        if parts.netloc and self.headers.get("Proxy-Authorization") != wanted:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._by = "proxy" if parts.netloc else "direct"
        self.path = parts.path
        super().do_GET()

    def translate_path(self, path: str) -> str:
        first, _, rest = path.lstrip("/").partition("/")
        return str(DIRECTORIES.get(first, Path("/nonexistent")) / unquote(rest))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        code = int(code) if isinstance(code, int) else code
        print(getattr(self, "_by", "refused"), code, self.path, size, flush=True)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    port, *served, KEY = sys.argv[1:]
    DIRECTORIES.update({name: Path(path) for name, _, path in (each.partition("=") for each in served)})
    http.server.ThreadingHTTPServer(("0.0.0.0", int(port)), Handler).serve_forever()
