"""A real etcd with TLS both ways and users, and the director's way to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from base64 import b64decode
from pathlib import Path

from kubo_sdk.ports.access import KeyValue

from .namespaces import Namespace, stop, wait_for
from .pki import Issuer

ROOT_PASSWORD = "root-password-of-the-lab"
OVERLAY_PASSWORD = "overlay-password-of-the-lab"
OVERLAY_USER = "flanneld"


class EtcdServer:
    """One member on *address* inside *hub*, its CA called etcd-ca as in a cluster.

    ``ports`` is the base of client and peer port; several members share a ``cluster`` mapping of name to address.
    """

    def __init__(self, hub: Namespace, directory: Path, address: str, issuer: Issuer) -> None:
        self._hub = hub
        self._directory = directory
        self.issuer = issuer
        self.url = f"https://{address}:2379"
        self.peer_url = f"https://{address}:2380"
        self.log = directory / "etcd.log"
        self._server = issuer.issue("kube-etcd", address, server=True)
        self._root = issuer.issue("root")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        certificate, key = map(str, self._server)
        ca = str(self.issuer.file)
        command = ["etcd", "--name", "m0", "--data-dir", str(self._directory / "data")]
        command += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        command += ["--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url]
        command += ["--initial-cluster", f"m0={self.peer_url}", "--unsafe-no-fsync", "--bcrypt-cost", "4"]
        command += ["--client-cert-auth", "--trusted-ca-file", ca, "--cert-file", certificate, "--key-file", key]
        command += ["--peer-client-cert-auth", "--peer-trusted-ca-file", ca]
        command += ["--peer-cert-file", certificate, "--peer-key-file", key]
        self._process = self._hub.start(command, self.log)
        wait_for(lambda: self.ctl_works("endpoint", "health"), f"etcd's answer ({self.log})", 20)

    def stop(self) -> None:
        if self._process:
            stop(self._process, signal.SIGKILL)

    def enable_users(self, prefix: str) -> None:
        """The user root, and one for the overlay that owns *prefix* and nothing else."""
        self.ctl("user", "add", f"root:{ROOT_PASSWORD}", user="")
        self.ctl("user", "add", f"{OVERLAY_USER}:{OVERLAY_PASSWORD}", user="")
        self.ctl("role", "add", "overlay", user="")
        self.ctl("role", "grant-permission", "--prefix=true", "overlay", "readwrite", prefix, user="")
        self.ctl("user", "grant-role", OVERLAY_USER, "overlay", user="")
        self.ctl("user", "grant-role", "root", "root", user="")
        self.ctl("auth", "enable", user="")

    def ctl(self, *arguments: str, user: str = f"root:{ROOT_PASSWORD}") -> str:
        """etcdctl with root's certificate and, unless *user* is empty, a password."""
        done = self._ctl(arguments, user)
        assert done.returncode == 0, f"etcdctl {arguments}: {done.stderr}"
        return done.stdout

    def ctl_works(self, *arguments: str) -> bool:
        return self._ctl(arguments, "").returncode == 0

    def _ctl(self, arguments: tuple[str, ...], user: str) -> subprocess.CompletedProcess[str]:
        certificate, key = map(str, self._root)
        command = ["ip", "netns", "exec", self._hub.name, "etcdctl", "--endpoints", self.url]
        command += ["--cacert", str(self.issuer.file), "--cert", certificate, "--key", key, "--command-timeout", "3s"]
        env = {**os.environ, "ETCDCTL_API": "3"}
        if user:
            env["ETCDCTL_USER"] = user
        return subprocess.run([*command, *arguments], capture_output=True, text=True, env=env, check=False)


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

    def delete_all(self, prefix: str) -> None:
        self._server.ctl("del", "--prefix", prefix)

    def _read(self, *arguments: str) -> tuple[KeyValue, ...]:
        answer = json.loads(self._server.ctl("get", *arguments, "-w", "json"))
        return tuple(
            KeyValue(
                key=b64decode(item["key"]).decode(), value=b64decode(item["value"]), mod_revision=item["mod_revision"]
            )
            for item in answer.get("kvs", ())
        )
