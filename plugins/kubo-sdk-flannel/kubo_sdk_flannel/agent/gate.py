"""The gate: on every etcd machine, the only way by which workers reach etcd.

A worker shows a certificate of the cluster's own CA here; etcd trusts another CA, so nothing a worker holds opens etcd
itself.  What `admission` lets through goes to the member on this machine with the gate's credentials.
"""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import threading
from collections import Counter, OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubo_sdk_flannel.agent import systemd
from kubo_sdk_flannel.agent.admission import GRANT, REVOKE, WATCH, Admitted, Forbidden, Realm, admit
from kubo_sdk_flannel.agent.etcd import Etcd
from kubo_sdk_flannel.agent.http import Connection, detect_dead_peer
from kubo_sdk_flannel.agent.settings import GateSettings
from kubo_sdk_flannel.agent.trouble import Refused, StoreTrouble, say

LARGEST_REQUEST = 16384
IDLE_SECONDS = 600.0  # a quiet worker comes again; the kernel finds dead ones sooner
HANDSHAKE_SECONDS = 5.0
CONNECTIONS_PER_WORKER = 16
REMEMBERED_LEASES = 4096

_LENGTH = re.compile(r"[0-9]{1,6}")
_STATUS = {Forbidden: (403, 7), Refused: (400, 9), StoreTrouble: (503, 14)}


class Granted:
    """The leases this gate handed out: only they may be used or ended through it.  The oldest are forgotten."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, lease: str) -> None:
        with self._lock:
            self._ids[lease] = None
            if len(self._ids) > REMEMBERED_LEASES:
                self._ids.popitem(last=False)

    def check(self, lease: str) -> None:
        """Raises Forbidden for a lease that is not there."""
        with self._lock:
            if lease and lease not in self._ids:
                raise Forbidden("that lease was not granted here, or carries a subnet already")

    def spend(self, lease: str) -> None:
        """The lease carries a key now, or has ended; it is nobody's to use again."""
        with self._lock:
            self._ids.pop(lease, None)


class Gate(ThreadingHTTPServer):
    """Listens with TLS and asks every caller for the certificate named in the settings."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, settings: GateSettings) -> None:
        self.settings = settings
        self.realm = Realm(settings.etcd.prefix, settings.network)
        self.granted = Granted()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_verify_locations(settings.tls.ca)
        self._context.load_cert_chain(settings.tls.certificate, settings.tls.key)
        self._connections: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__((settings.address, settings.port), Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, in a thread of its own, from its handshake on."""
        host = client_address[0]
        with self._lock:
            crowded = self._connections[host] >= CONNECTIONS_PER_WORKER
            self._connections[host] += 1
        try:
            if not crowded:
                self._serve(request, client_address)
        except OSError:
            pass  # the caller went away, or is none of ours
        finally:
            with self._lock:
                self._connections[host] -= 1
            self.shutdown_request(request)

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        request.settimeout(HANDSHAKE_SECONDS)
        detect_dead_peer(request)
        with self._context.wrap_socket(request, server_side=True) as secured:
            if common_name(secured.getpeercert()) == self.settings.client_name:
                self.finish_request(secured, client_address)
            else:
                say(f"turned {client_address[0]} away: its certificate does not name {self.settings.client_name}")


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    server: Gate
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    _etcd: Etcd | None = None

    def do_POST(self) -> None:
        try:
            admitted = admit(self.server.realm, self.path, self._body())
            self.server.granted.check(admitted.lease)
            etcd = self._etcd = self._etcd or Etcd(self.server.settings.etcd)
            if admitted.path == WATCH:
                self._stream(etcd, admitted)
            else:
                self._answer(200, self._forward(etcd, admitted))
        except (Forbidden, StoreTrouble) as error:
            status, code = next(found for kind, found in _STATUS.items() if isinstance(error, kind))
            self._answer(status, {"error": str(error), "message": str(error), "code": code})

    def finish(self) -> None:
        if self._etcd:
            self._etcd.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line each."""

    def _body(self) -> Any:
        length = self.headers.get("Content-Length") or ""
        known = _LENGTH.fullmatch(length) and 0 < int(length) <= LARGEST_REQUEST
        if not known or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise Forbidden("a request is JSON of a known and modest length")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Forbidden("the request is not JSON") from error

    def _forward(self, etcd: Etcd, admitted: Admitted) -> dict[str, Any]:
        answer = etcd.call(admitted.path, admitted.body)
        if admitted.path == GRANT:
            self.server.granted.add(str(answer["ID"]))
        elif admitted.path == REVOKE or answer.get("succeeded"):
            self.server.granted.spend(admitted.lease)
        return answer

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, etcd: Etcd, admitted: Admitted) -> None:
        create = admitted.body["create_request"]
        source = etcd.watch(f"{self.server.realm.prefix}/", int(create["start_revision"]))
        self.close_connection = True
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._pump(source)
        finally:
            source.close()

    def _pump(self, source: Connection) -> None:
        """Line by line, until either side ends."""
        waiter, worker = select.poll(), self.connection.fileno()
        waiter.register(worker, select.POLLIN)
        waiter.register(source.fileno(), select.POLLIN)
        while True:
            while (line := source.line(0)) is not None:
                self.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
            if any(ready == worker for ready, _ in waiter.poll()):
                return  # the worker has nothing more to say, so it left


def common_name(certificate: Any) -> str:
    """The common name of a certificate as `ssl` shows it."""
    return next((value for part in certificate["subject"] for name, value in part if name == "commonName"), "")


def run(settings: GateSettings) -> None:
    """For ever."""
    with Gate(settings) as gate:
        systemd.notify("READY=1", f"STATUS=workers may come to {settings.address}:{settings.port}")
        say(f"the gate to etcd is open for {settings.client_name} on {settings.address}:{settings.port}")
        gate.serve_forever(poll_interval=3600)
