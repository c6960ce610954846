"""A real etcd with TLS both ways and users, and the director's way to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from base64 import b64decode
from pathlib import Path

from kubo_sdk.ports.access import KeyValue

from .namespaces import Place, stop, wait_for
from .pki import Issuer

ROOT = "root:root-password-of-the-lab"
OVERLAY_USER = "kubo-overlay"
OVERLAY_PASSWORD = "overlay-password-of-the-lab"


class EtcdServer:
    """One member of its own cluster, listening on *address* in *place*; its CA is called etcd-ca as in a cluster."""

    def __init__(self, place: Place, directory: Path, address: str, *, ports: tuple[int, int] = (2379, 2380)) -> None:
        pki = directory / "etcd-pki"
        pki.mkdir(parents=True)
        self._place = place
        self._data = directory / "etcd-data"
        self.issuer = Issuer(pki, "etcd-ca")
        self.address, self.ports = address, ports
        self.url, self.peer_url = (f"https://{address}:{port}" for port in ports)
        self.log = directory / "etcd.log"
        self._server = self.issuer.issue("etcd-0", address, server=True)
        self._root = self.issuer.issue("lab", organization="kubo:director")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        certificate, key = map(str, self._server)
        ca = str(self.issuer.file)
        command = ["etcd", "--name", "m0", "--data-dir", str(self._data)]
        command += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        command += ["--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url]
        command += ["--initial-cluster", f"m0={self.peer_url}", "--unsafe-no-fsync", "--bcrypt-cost", "4"]
        command += ["--client-cert-auth", "--trusted-ca-file", ca, "--cert-file", certificate, "--key-file", key]
        command += ["--peer-client-cert-auth", "--peer-trusted-ca-file", ca]
        command += ["--peer-cert-file", certificate, "--peer-key-file", key]
        self._process = self._place.start(command, self.log)
        wait_for(lambda: self._ctl(("endpoint", "health"), "").returncode == 0, f"etcd's answer ({self.log})", 20)

    def stop(self) -> None:
        if self._process:
            stop(self._process, signal.SIGKILL)

    def enable_users(self, prefix: str) -> None:
        """The user root, and one for the overlay that owns *prefix* and nothing else."""
        for arguments in (
            ("user", "add", ROOT),
            ("user", "add", f"{OVERLAY_USER}:{OVERLAY_PASSWORD}"),
            ("role", "add", "overlay"),
            ("role", "grant-permission", "--prefix=true", "overlay", "readwrite", prefix),
            ("user", "grant-role", OVERLAY_USER, "overlay"),
            ("user", "grant-role", "root", "root"),
            ("auth", "enable"),
        ):
            self.ctl(*arguments, user="")

    def ctl(self, *arguments: str, user: str = ROOT) -> str:
        """etcdctl as root, or with a certificate alone where *user* is empty."""
        done = self._ctl(arguments, user)
        assert done.returncode == 0, f"etcdctl {arguments}: {done.stderr}"
        return done.stdout

    def attempt(
        self, *arguments: str, certificate: tuple[Path, Path], user: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """etcdctl with somebody else's certificate; the outcome, whatever it is."""
        return self._ctl(arguments, user, certificate)

    def _ctl(
        self, arguments: tuple[str, ...], user: str, certificate: tuple[Path, Path] | None = None
    ) -> subprocess.CompletedProcess[str]:
        shown, key = map(str, certificate or self._root)
        command = ["etcdctl", "--endpoints", self.url, "--command-timeout", "3s"]
        command += ["--cacert", str(self.issuer.file), "--cert", shown, "--key", key]
        env = {**os.environ, "ETCDCTL_API": "3"}
        if user:
            env["ETCDCTL_USER"] = user
        inside = self._place.inside([*command, *arguments])
        return subprocess.run(inside, capture_output=True, text=True, env=env, check=False)


class DirectorEtcd:
    """The port `Etcd` over etcdctl: what the core lends to an overlay."""

    def __init__(self, server: EtcdServer) -> None:
        self._server = server

    def get(self, key: str) -> KeyValue | None:
        found = self._read(key)
        return found[0] if found else None

    def list(self, prefix: str) -> tuple[KeyValue, ...]:
        return self._read(prefix, "--prefix")

    def put(self, key: str, value: bytes) -> None:
        self._server.ctl("put", key, value.decode())

    def delete(self, key: str) -> None:
        self._server.ctl("del", key)

    def clear(self) -> None:
        """Delete every key there is."""
        self._server.ctl("del", "--prefix", "")

    def _read(self, *arguments: str) -> tuple[KeyValue, ...]:
        answer = json.loads(self._server.ctl("get", *arguments, "-w", "json"))
        return tuple(
            KeyValue(
                key=b64decode(item["key"]).decode(), value=b64decode(item["value"]), mod_revision=item["mod_revision"]
            )
            for item in answer.get("kvs", ())
        )


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that nobody has just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = tuple(int(one.getsockname()[1]) for one in sockets)
    for one in sockets:
        one.close()
    return ports
