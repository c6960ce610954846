"""A real kube-apiserver with an etcd of its own, and an administrator's kubectl."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from .datacentre import HUB
from .etcd_server import EtcdServer
from .namespaces import Place, stop, wait_for
from .pki import Issuer

PORT = 8443
USER = "kubo:flannel"


def find_programs() -> Path | None:
    """Where the Kubernetes programs are: KUBO_TEST_BIN, or the newest release in the cache."""
    cache = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
    cached = sorted(cache.glob("releases/*/bin"), key=lambda path: path.stat().st_mtime)
    given = os.environ.get("KUBO_TEST_BIN")
    candidates = [*([Path(given)] if given else []), *reversed(cached)]
    return next((directory for directory in candidates if _is_program(directory / "kube-apiserver")), None)


def _is_program(path: Path) -> bool:
    """Not the few bytes that releases of the fakes have."""
    return path.is_file() and path.stat().st_size > 1 << 20


class ApiServer:
    """Listens on the hub; Node authorizer and controllers are left out, RBAC is there."""

    def __init__(self, place: Place, directory: Path, programs: Path) -> None:
        pki = directory / "pki"
        pki.mkdir(parents=True)
        self.issuer = Issuer(pki, "kubernetes-ca")
        self.url = f"https://{HUB}:{PORT}"
        self.log = directory / "kube-apiserver.log"
        self._place = place
        self._programs = programs
        self._directory = directory
        self._etcd = EtcdServer(place, directory, HUB, ports=(12379, 12380))
        self._admin = self.issuer.issue("admin", organization="system:masters")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._etcd.start()
        self.start_api()

    def start_api(self) -> None:
        certificate, key = map(str, self.issuer.issue("kube-apiserver", HUB, server=True))
        etcd_certificate, etcd_key = map(str, self._etcd.issuer.issue("kube-apiserver"))
        flags = {
            "etcd-servers": self._etcd.url,
            "etcd-cafile": self._etcd.issuer.file,
            "etcd-certfile": etcd_certificate,
            "etcd-keyfile": etcd_key,
            "bind-address": HUB,
            "advertise-address": HUB,
            "secure-port": PORT,
            "tls-cert-file": certificate,
            "tls-private-key-file": key,
            "client-ca-file": self.issuer.file,
            "authorization-mode": "RBAC",
            "service-cluster-ip-range": "10.100.200.0/24",
            "service-account-issuer": "https://lab",
            "service-account-key-file": certificate,
            "service-account-signing-key-file": key,
            "cert-dir": self._directory,
        }
        command = [str(self._programs / "kube-apiserver"), *(f"--{name}={value}" for name, value in flags.items())]
        self._process = self._place.start(command, self.log)
        wait_for(lambda: "ok" in self._kubectl(["get", "--raw", "/readyz"]).stdout, f"the API server ({self.log})", 180)

    def stop(self) -> None:
        self.stop_api()
        self._etcd.stop()

    def stop_api(self) -> None:
        if self._process:
            self._process.kill()
            stop(self._process)

    def kubectl(self, *arguments: str, stdin: Any = None) -> str:
        """Standard output of an administrator's kubectl."""
        done = self._kubectl(arguments, stdin)
        assert done.returncode == 0, f"kubectl {arguments}: {done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str, certificate: tuple[Path, Path]) -> subprocess.CompletedProcess[str]:
        """kubectl with somebody else's certificate."""
        return self._kubectl(arguments, None, certificate)

    def get_node(self, name: str) -> dict[str, Any]:
        node: dict[str, Any] = json.loads(self.kubectl("get", "node", name, "-o", "json"))
        return node

    def add_node(self, name: str, pod_cidr: str = "") -> None:
        """A Node as a kubelet and the controller manager would have made it."""
        spec = {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr]} if pod_cidr else {}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}
        self.kubectl("create", "-f", "-", stdin=node)

    def worker_settings(self, node: str, network: dict[str, Any]) -> dict[str, Any]:
        """What a worker is given."""
        certificate, key = self.issuer.issue(USER)
        files = {"ca": str(self.issuer.file), "certificate": str(certificate), "key": str(key)}
        return {"kubernetes": {"server": self.url, "node": node, "network": network, **files}}

    def _kubectl(
        self, arguments: Any, stdin: Any = None, certificate: tuple[Path, Path] | None = None
    ) -> subprocess.CompletedProcess[str]:
        shown, key = certificate or self._admin
        command = [str(self._programs / "kubectl"), "--server", self.url, f"--cache-dir={self._directory}/cache"]
        command += [f"--certificate-authority={self.issuer.file}", f"--client-certificate={shown}"]
        command += [f"--client-key={key}", "--request-timeout=5s", *arguments]
        inside = self._place.inside(command)
        text = json.dumps(stdin) if stdin is not None else None
        return subprocess.run(inside, capture_output=True, text=True, input=text, check=False)
