"""What may stand between the provider and the API: HAProxy with TLS, and an answer that was changed on the way."""

from __future__ import annotations

import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubo_sdk.engine.retry import wait_until

from .server import PATIENCE, PdnsServer, free_port

HAPROXY = """\
global
    maxconn 100
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend api
    bind 127.0.0.1:{port} ssl crt {pem}
    default_backend api
backend api
    server api 127.0.0.1:{api_port}
"""


def self_signed(directory: Path, address: str) -> tuple[Path, Path]:
    """A certificate for *address* that is its own CA: (certificate, certificate and key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the API of the lab")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = certificate.public_bytes(serialization.Encoding.PEM)
    unsealed = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unsealed)
    ca, both = directory / f"{address}.crt", directory / f"{address}.pem"
    ca.write_bytes(encoded)
    both.write_bytes(encoded + private)
    return ca, both


@contextmanager
def tls_front(server: PdnsServer, directory: Path, pem: Path) -> Iterator[str]:
    """HAProxy that ends TLS before the API; yields its URL."""
    port = free_port()
    settings = directory / f"haproxy-{port}.cfg"
    settings.write_text(HAPROXY.format(port=port, pem=pem, api_port=server.api_port), encoding="utf-8")
    with subprocess.Popen(["haproxy", "-db", "-q", "-f", str(settings)]) as process:
        try:
            wait_until(lambda: _accepts(process, port), what="HAProxy's port", timeout=PATIENCE, interval=0.02)
            yield f"https://127.0.0.1:{port}"
        finally:
            process.kill()


def _accepts(process: subprocess.Popen[bytes], port: int) -> bool | None:
    assert process.poll() is None, "HAProxy ended"
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return None
    return True


@contextmanager
def changing_front(server: PdnsServer, change: Callable[[bytes], bytes]) -> Iterator[str]:
    """The answers to GET of the real server, each changed: a server as there is none to install.  Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            request = urllib.request.Request(f"{server.url}{self.path}", headers=headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                body = change(answer.read())
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests need no log of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as front:
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{front.server_port}"
        finally:
            front.shutdown()
            thread.join()
