"""StandIn: a real HTTP server on loopback that answers as a cloud's API does, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import define, field, frozen


@frozen(kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


Reply = tuple[int, Any]


@define
class StandIn:
    """``reply`` answers; ``faults``: (words of method and path, status, body, headers), each answered once."""

    reply: Callable[[Asked, str], tuple[Any, ...]]
    url: str = ""
    asked: list[Asked] = field(factory=list)
    faults: list[tuple[str, int, Any, dict[str, str]]] = field(factory=list)

    def bodies(self, start: str) -> list[Any]:
        """What was sent with requests that begin so: ``POST /servers``."""
        return [each.body for each in self.asked if f"{each.method} {each.path}".startswith(start)]

    def answer(self, asked: Asked) -> tuple[Any, ...]:
        self.asked.append(asked)
        for fault in self.faults:
            if fault[0] in f"{asked.method} {asked.path}":
                self.faults.remove(fault)
                return fault[1:]
        return self.reply(asked, self.url)


@contextmanager
def serving(reply: Callable[[Asked, str], tuple[Any, ...]]) -> Iterator[StandIn]:
    """The server, until the end of the block."""
    standin = StandIn(reply=reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = raw
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            asked = Asked(method=self.command, path=url.path, query=query, body=body)
            status, said, *headers = standin.answer(asked)
            sent = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
