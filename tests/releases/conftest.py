"""A download site on loopback, fake programs, and releases made of them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kubo_sdk.model.release import KUBERNETES_BINARIES
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.architecture import host_architecture

ETCD = "3.5.21"


class Site:
    """An HTTP server; ``files`` by path, ``asked`` every path in the order of requests, as it stood in the request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_short: set[str] = set()
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                path = urlsplit(self.path).path
                content = site.files.get(path)
                status = site.status.get(path, 404 if content is None else 200)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write((content or b"")[: 3 if path in site.cut_short else None])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        scheme = "https" if hasattr(self.server.socket, "context") else "http"
        return f"{scheme}://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def publish(self, version: KubernetesVersion) -> None:
        """Offer a version with its etcd, as the real sites do."""
        arch = host_architecture()
        for name in KUBERNETES_BINARIES:
            path = f"/release/{version.tag}/bin/linux/{arch}/{name}"
            self.files[path] = program_text(name, version)
            self.files[f"{path}.sha256"] = sha256(self.files[path])
        archive = f"etcd-v{ETCD}-linux-{arch}.tar.gz"
        self.files[f"/v{ETCD}/{archive}"] = etcd_archive(f"etcd-v{ETCD}-linux-{arch}")
        digest = sha256(self.files[f"/v{ETCD}/{archive}"]).decode()
        self.files[f"/v{ETCD}/SHA256SUMS"] = f"{'0' * 64}  etcd-other.tar.gz\n{digest}  {archive}\n".encode()

    def path_of(self, version: KubernetesVersion, name: str) -> str:
        return f"/release/{version.tag}/bin/linux/{host_architecture()}/{name}"


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def program_text(name: str, version: KubernetesVersion) -> bytes:
    said = f"Client Version: {version.tag}" if name == "kubectl" else f"Kubernetes {version.tag}"
    return f"#!/bin/sh\n# {name}\necho '{said}'\n".encode()


def etcd_archive(top: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("README.md", "etcd", "etcdctl", "etcdutl"):
            content = f"#!/bin/sh\necho '{name} Version: {ETCD}'\n".encode()
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def version() -> KubernetesVersion:
    return KubernetesVersion(1, 30, 4)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def lay_programs() -> Callable[[Path, KubernetesVersion], Path]:
    """Makes a directory as the source ``directory`` expects it."""

    def lay(directory: Path, version: KubernetesVersion) -> Path:
        (directory / "bin").mkdir(parents=True)
        for name in KUBERNETES_BINARIES:
            program = directory / "bin" / name
            program.write_bytes(program_text(name, version))
            program.chmod(0o755)
        return directory

    return lay
