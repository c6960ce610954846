"""A real kube-apiserver with an etcd of its own, and what a cluster would put there: Nodes, Services, endpoints."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from kubo_sdk_cfrouting.manifests import KUBERNETES_USER, manifests

from .pki import Authority, Files
from .process import free_ports, start, stop, wait_for

HOST = "127.0.0.1"
SERVICES, NODES = "/api/v1/namespaces/default/services", "/api/v1/nodes"
SLICES = "/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices"
EVENTS = "/api/v1/namespaces/default/events"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubo-cf-routes"
CREATED, OK, NOT_FOUND, CONFLICT = 201, 200, 404, 409


def find_programs() -> Path | None:
    """Where the Kubernetes programs are: KUBO_TEST_BIN, or the newest release in the cache."""
    cache = Path(os.environ.get("KUBO_CACHE", "/var/cache/kubo"))
    cached = sorted(cache.glob("releases/*/bin"), key=lambda path: path.stat().st_mtime)
    given = os.environ.get("KUBO_TEST_BIN")
    candidates = [*([Path(given)] if given else []), *reversed(cached)]
    return next((directory for directory in candidates if _is_program(directory / "kube-apiserver")), None)


def _post(url: str, body: Mapping[str, Any]) -> Any:
    with urlopen(Request(url, json.dumps(body).encode()), timeout=30) as response:
        return json.load(response)


def _is_program(path: Path) -> bool:
    """Not the few bytes that releases of the fakes have."""
    return path.is_file() and path.stat().st_size > 1 << 20


class ApiServer:
    """On the loopback, with RBAC and without controllers."""

    def __init__(self, directory: Path, programs: Path) -> None:
        self._directory = directory
        self._programs = programs
        self._authority = Authority(directory, "kubernetes")
        self.port, *self._etcd_ports = free_ports(3)
        self.log = directory / "kube-apiserver.log"
        self._admin = self._authority.leaf("admin", organization="system:masters")
        self._etcd: Any = None
        self._process: Any = None

    def agent_files(self) -> Files:
        """What a master's agent shows."""
        return self._authority.leaf(KUBERNETES_USER)

    def start(self) -> None:
        client, peer = (f"http://{HOST}:{port}" for port in self._etcd_ports)
        command = ["etcd", "--data-dir", str(self._directory / "etcd"), "--unsafe-no-fsync"]
        command += ["--listen-client-urls", client, "--advertise-client-urls", client, "--name", "m0"]
        command += [
            "--listen-peer-urls",
            peer,
            "--initial-advertise-peer-urls",
            peer,
            "--initial-cluster",
            f"m0={peer}",
        ]
        self._etcd = start(command, self._directory / "etcd.log")
        self.start_api()
        for item in manifests():
            self.apply(item)

    def start_api(self) -> None:
        server = self._authority.leaf("kube-apiserver", HOST, "10.100.200.1")
        flags = {
            "etcd-servers": f"http://{HOST}:{self._etcd_ports[0]}",
            "bind-address": HOST,
            "advertise-address": HOST,
            "secure-port": self.port,
            "tls-cert-file": server.certificate,
            "tls-private-key-file": server.key,
            "client-ca-file": server.ca,
            "authorization-mode": "RBAC",
            "service-cluster-ip-range": "10.100.200.0/24",
            "service-account-issuer": "https://lab",
            "service-account-key-file": server.certificate,
            "service-account-signing-key-file": server.key,
            "cert-dir": self._directory,
        }
        arguments = [f"--{name}={value}" for name, value in flags.items()]
        self._process = start([str(self._programs / "kube-apiserver"), *arguments], self.log)
        wait_for(self._ready, f"the API server ({self.log})", 180)

    def stop_api(self) -> None:
        stop(self._process)

    def suspend(self) -> None:
        """It hangs."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        stop(self._process)
        stop(self._etcd)

    def compact(self) -> None:
        """Let etcd forget every version but the newest."""
        base = f"http://{HOST}:{self._etcd_ports[0]}/v3"
        found = _post(f"{base}/kv/range", {"key": "AA=="})
        _post(f"{base}/kv/compaction", {"revision": found["header"]["revision"]})

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        """As an administrator; status and answer."""
        context = ssl.create_default_context(cafile=self._admin.ca)
        context.load_cert_chain(self._admin.certificate, self._admin.key)
        with closing(http.client.HTTPSConnection(HOST, self.port, timeout=30, context=context)) as connection:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": kind})
            response = connection.getresponse()
            content = response.read()
        return response.status, json.loads(content) if content[:1] == b"{" else content.decode()

    def do(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        status, answer = self.ask(method, path, body, kind)
        assert status in (OK, CREATED), f"{method} {path}: {status} {answer}"
        return answer

    def patch(self, path: str, body: Any) -> Any:
        return self.do("PATCH", path, body, "application/merge-patch+json")

    def apply(self, item: Mapping[str, Any]) -> None:
        group, _, version = item["apiVersion"].rpartition("/")
        namespace = item["metadata"].get("namespace")
        path = f"/apis/{group}/{version}/{f'namespaces/{namespace}/' if namespace else ''}{item['kind'].lower()}s"
        self.do("POST", path, item)

    def _ready(self) -> bool:
        try:
            ready = self.ask("GET", "/readyz")[0] == OK
        except OSError:
            return False
        return ready and self.ask("GET", "/api/v1/namespaces/default")[0] == OK

    # -- what is in a cluster

    def add_node(self, name: str, address: str, *, ready: bool = True) -> None:
        self.do("POST", NODES, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        self.set_ready(name, ready, address)

    def set_ready(self, name: str, ready: bool, address: str = "") -> None:
        """As its kubelet, or who misses it, would."""
        condition = {"type": "Ready", "status": "True" if ready else "Unknown", "reason": "Test", "message": ""}
        status: dict[str, Any] = {"conditions": [condition]}
        if address:
            status["addresses"] = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
        self.patch(f"{NODES}/{name}/status", {"status": status})

    def cordon(self, name: str, on: bool = True) -> None:
        self.patch(f"{NODES}/{name}", {"spec": {"unschedulable": on}})

    def add_service(
        self,
        name: str,
        *ports: Mapping[str, Any],
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> dict[str, int]:
        """Of type NodePort; the node ports by name."""
        wanted = [dict(port) for port in ports or ({"name": "web", "port": 80},)]
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "labels": labels or {}, "annotations": annotations or {}},
            "spec": {"type": "NodePort", "ports": wanted, "selector": {"app": name}, **spec},
        }
        made = self.do("POST", SERVICES, body)
        return {port.get("name") or str(port["port"]): int(port.get("nodePort") or 0) for port in made["spec"]["ports"]}

    def label(self, name: str, **labels: str | None) -> None:
        """None takes a label away; underscores stand for hyphens."""
        named = {key.replace("_", "-"): value for key, value in labels.items()}
        self.patch(f"{SERVICES}/{name}", {"metadata": {"labels": named}})

    def annotate(self, name: str, annotations: Mapping[str, str | None]) -> None:
        self.patch(f"{SERVICES}/{name}", {"metadata": {"annotations": annotations}})

    def delete_service(self, name: str) -> None:
        self.do("DELETE", f"{SERVICES}/{name}")

    def put_slice(self, service: str, ready_on: Iterable[str]) -> None:
        """The endpoints of *service*: a ready one on each node."""
        endpoints = [
            {
                "addresses": [f"10.200.0.{number}"],
                "conditions": {"ready": True},
                "topology": {"kubernetes.io/hostname": node},
            }
            for number, node in enumerate(ready_on, 1)
        ]
        metadata = {"name": f"{service}-abc", "labels": {"kubernetes.io/service-name": service}}
        head = {"apiVersion": "discovery.k8s.io/v1beta1", "kind": "EndpointSlice", "addressType": "IPv4"}
        body = {**head, "metadata": metadata, "endpoints": endpoints, "ports": []}
        status, answer = self.ask("POST", SLICES, body)
        if status == CONFLICT:
            self.patch(f"{SLICES}/{service}-abc", {"endpoints": endpoints})
        else:
            assert status == CREATED, answer

    def events(self, service: str) -> list[dict[str, Any]]:
        found = self.do("GET", EVENTS)["items"]
        return [event for event in found if event["involvedObject"]["name"] == service]

    def leader(self) -> str:
        status, lease = self.ask("GET", LEASE)
        return str(lease["spec"].get("holderIdentity") or "") if status == OK else ""

    def clear(self) -> None:
        """As if nobody had used it."""
        for collection in (NODES, SLICES, EVENTS):
            self.do("DELETE", collection)
        for service in self.do("GET", SERVICES)["items"]:
            if service["metadata"]["name"] != "kubernetes":
                self.delete_service(service["metadata"]["name"])
        assert self.ask("DELETE", LEASE)[0] in (OK, NOT_FOUND)
