"""An API server with Services and EndpointSlices in memory: lists in pages, watches, bookmarks, and what goes wrong."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SERVICES, SLICES = "services", "endpointslices"
VERSIONS = {"/api/v1/services": SERVICES}


class ApiServer:
    """*version* is that of ``discovery.k8s.io``.  Clients must show a certificate."""

    def __init__(self, address: tuple[str, int], pki: tuple[Path, Path, Path], version: str = "v1") -> None:
        self.paths = {**VERSIONS, f"/apis/discovery.k8s.io/{version}/endpointslices": SLICES}
        self.wake = threading.Condition()
        self.objects: dict[str, dict[str, dict[str, Any]]] = {SERVICES: {}, SLICES: {}}
        self.events: dict[str, list[tuple[int, dict[str, Any]]]] = {SERVICES: [], SLICES: []}
        self.requests: list[str] = []
        self.revision = 1
        self.oldest = 0
        self.refusing = 0
        self.cut = 0
        self._address = address
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority, certificate, key = pki
        self._context.load_cert_chain(certificate, key)
        self._context.load_verify_locations(authority)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"https://{self._address[0]}:{self._address[1]}"

    def start(self) -> ApiServer:
        self._server = _Listener(self._address, _handler(self))
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Every connection ends with it."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.cut_watches()

    def cut_watches(self) -> None:
        with self.wake:
            self.cut += 1
            self.wake.notify_all()

    def refuse(self, status: int) -> None:
        """Answer everything with *status*; 0 for no longer."""
        with self.wake:
            self.refusing = status
            self.wake.notify_all()

    def forget_history(self) -> None:
        """What happened so far can no longer be watched, and lists begin anew."""
        with self.wake:
            self.revision += 1
            self.oldest = self.revision

    def put(self, kind: str, *items: dict[str, Any]) -> None:
        with self.wake:
            for item in items:
                self.revision += 1
                key = f"{item['metadata']['namespace']}/{item['metadata']['name']}"
                known = key in self.objects[kind]
                item["metadata"]["resourceVersion"] = str(self.revision)
                self.objects[kind][key] = item
                self._note(kind, "MODIFIED" if known else "ADDED", item)
            self.wake.notify_all()

    def delete(self, kind: str, key: str) -> None:
        with self.wake:
            self.revision += 1
            item = {**self.objects[kind].pop(key)}
            item["metadata"] = {**item["metadata"], "resourceVersion": str(self.revision)}
            self._note(kind, "DELETED", item)
            self.wake.notify_all()

    def lose(self, kind: str, key: str) -> None:
        """The object goes and no watch tells of it."""
        with self.wake:
            self.objects[kind].pop(key)

    def bookmark(self) -> None:
        """Something happens that is nobody's business here."""
        with self.wake:
            self.revision += 1
            for kind in self.events:
                self._note(kind, "BOOKMARK", {"metadata": {"resourceVersion": str(self.revision)}})
            self.wake.notify_all()

    def _note(self, kind: str, what: str, item: dict[str, Any]) -> None:
        self.events[kind].append((self.revision, {"type": what, "object": item}))


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are what is tested."""


def _handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        server_of = api

    return Handler


class _Handler(BaseHTTPRequestHandler):
    server_of: ApiServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        api, parts = self.server_of, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        api.requests.append(self.path)
        kind = api.paths.get(parts.path)
        if api.refusing or kind is None:
            return self._answer(api.refusing or 404, {"kind": "Status", "message": "no"})
        if "watch" in query:
            return self._watch(kind, int(query["resourceVersion"]))
        return self._list(kind, query)

    def _list(self, kind: str, query: dict[str, str]) -> None:
        with self.server_of.wake:
            items, revision = list(self.server_of.objects[kind].values()), self.server_of.revision
        start, size = int(query.get("continue", "0")), int(query.get("limit", "0")) or len(items)
        metadata = {"resourceVersion": str(revision)}
        if start + size < len(items):
            metadata["continue"] = str(start + size)
        body = {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items[start : start + size]}
        self._answer(200, body)

    def _watch(self, kind: str, after: int) -> None:
        api = self.server_of
        if after < api.oldest:
            event = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}
            self._chunks_begin()
            return self._chunk(event, last=True)
        self._chunks_begin()
        cut, position = api.cut, 0
        while True:
            with api.wake:
                fresh = api.events[kind][position:]
                if not fresh:
                    api.wake.wait(1.0)
                if api.cut != cut or api.refusing:
                    self.close_connection = True
                    return None
            position += len(fresh)
            for revision, event in fresh:
                if revision > after:
                    self._chunk(event)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _chunks_begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, event: dict[str, Any], *, last: bool = False) -> None:
        data = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) + (b"0\r\n\r\n" if last else b""))
        self.wfile.flush()
