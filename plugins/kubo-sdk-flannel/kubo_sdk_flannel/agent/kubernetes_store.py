"""Subnet leases on Node objects, as flannel's ``--kube-subnet-mgr`` keeps them: podCIDR and a few annotations."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from kubo_sdk_flannel.agent.http import Connection, tls_context
from kubo_sdk_flannel.agent.settings import Settings
from kubo_sdk_flannel.agent.store import Opened, View
from kubo_sdk_flannel.agent.trouble import Refused, StoreTrouble, Unreachable
from kubo_sdk_flannel.agent.wire import VXLAN, Lease, Network, lease_of, parse_network

ANNOTATION = "flannel.alpha.coreos.com"
WATCH_SECONDS = 240  # proxies cut quiet connections at five minutes
_GONE = 410


class KubernetesStore:
    """The leases on all Nodes.  Used by one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        if settings.kubernetes is None:
            raise ValueError("these settings name no Kubernetes API")
        self._settings = settings.kubernetes
        self._public_ip = settings.public_ip
        self._context: ssl.SSLContext | None = tls_context(self._settings.tls) if self._settings.tls else None
        self._connection: Connection | None = None
        self._network: Network | None = None
        self._attributes = ("", 0, "")
        self._nodes: dict[str, Lease] = {}
        self._version = ""

    def open(self) -> Opened | None:
        self._network = parse_network(self._settings.network)
        node = self._ask("GET", self._own_path())
        return Opened(self._network, node_lease(node))

    def join(self, backend: str, vni: int, mac: str) -> View:
        self._attributes = (backend, vni, mac)
        node = self._ask("GET", self._own_path())
        subnet = pod_subnet(node)
        if subnet is None:
            raise StoreTrouble(
                f"node {self._settings.node} has no pod CIDR yet; the controller manager gives it one "
                "when it runs with --allocate-node-cidrs"
            )
        self._check_inside(subnet)
        self._announce(self._wished(subnet, node))
        self._list()
        return self._view()

    def follow(self, publish: Callable[[View], None]) -> None:
        self._keep_own(self._list())
        publish(self._view())
        query = urlencode(
            {
                "watch": "1",
                "resourceVersion": self._version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(WATCH_SECONDS),
            }
        )
        stream = self._dial()
        try:
            status = stream.open("GET", f"/api/v1/nodes?{query}", b"", {"Accept": "application/json"})
            if status != 200:
                raise Unreachable(f"the Kubernetes API refused to watch nodes with status {status}")
            self._read(stream, publish)
        except OSError as error:
            raise Unreachable(f"the watch of nodes ended: {error}") from error
        finally:
            stream.close()

    def expires_at(self) -> float:
        return 0.0

    # -- this node

    def _own_path(self) -> str:
        return f"/api/v1/nodes/{quote(self._settings.node)}"

    def _check_inside(self, subnet: IPv4Network) -> None:
        if self._network is not None and not subnet.subnet_of(self._network.network):
            raise StoreTrouble(
                f"the pod CIDR {subnet} of node {self._settings.node} is not inside the network "
                f"{self._network.network}; give the controller manager the same range as --cluster-cidr"
            )

    def _announce(self, lease: Lease) -> None:
        """Write what the other nodes need to know, and that this node's network is there."""
        body = {"metadata": {"annotations": marks_of(lease)}, "status": {"conditions": [network_available()]}}
        self._ask("PATCH", f"{self._own_path()}/status", body)

    def _wished(self, subnet: IPv4Network, node: dict[str, Any]) -> Lease:
        """The own lease; an operator may have given the node another address to be reached at."""
        address = marks_on(node).get(f"{ANNOTATION}/public-ip-overwrite") or self._public_ip
        return Lease(subnet, address, *self._attributes)

    def _keep_own(self, node: dict[str, Any] | None) -> None:
        """Announce this node again where its Node came anew or somebody changed what was written on it."""
        subnet = pod_subnet(node) if node else None
        if node is None or subnet is None or not marks_of(self._wished(subnet, node)).items() <= marks_on(node).items():
            self.join(*self._attributes)

    # -- all nodes

    def _list(self) -> dict[str, Any] | None:
        """Read all Nodes; returns this node's own."""
        answer = self._ask("GET", "/api/v1/nodes")
        self._version = str(answer["metadata"]["resourceVersion"])
        self._nodes = {}
        for node in answer["items"]:
            self._take(node)
        return next((node for node in answer["items"] if node["metadata"]["name"] == self._settings.node), None)

    def _take(self, node: dict[str, Any]) -> None:
        name, lease = node["metadata"]["name"], node_lease(node)
        if lease is None:
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = lease

    def _view(self) -> View:
        own = self._nodes.get(self._settings.node)
        if own is None:
            raise StoreTrouble(f"node {self._settings.node} is not in the Kubernetes API")
        return View(own, tuple(lease for name, lease in self._nodes.items() if name != self._settings.node))

    def _read(self, stream: Connection, publish: Callable[[View], None]) -> None:
        ends = time.monotonic() + WATCH_SECONDS + 10
        while (now := time.monotonic()) < ends:
            line = stream.line(ends - now)
            if line is None or not self._apply(json.loads(line)):
                return
            publish(self._view())

    def _apply(self, event: dict[str, Any]) -> bool:
        """One event of the watch; False when the list has to be read again."""
        kind, node = event["type"], event["object"]
        if kind == "ERROR":
            if node.get("code") == _GONE:
                return False
            raise Unreachable(f"the watch of nodes ended: {node.get('message')}")
        if kind == "DELETED":
            self._nodes.pop(node["metadata"]["name"], None)
        elif kind != "BOOKMARK":
            self._take(node)
            if node["metadata"]["name"] == self._settings.node:
                self._keep_own(node)
        return True

    # -- requests

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request.  Raises Unreachable when trying again makes sense, Refused when the API said no."""
        headers = {"Accept": "application/json", "Content-Type": "application/strategic-merge-patch+json"}
        data = json.dumps(body).encode() if body is not None else b""
        reused = self._connection is not None
        try:
            self._connection = self._connection or self._dial()
            reply = self._connection.request(method, path, data, headers)
        except OSError as error:
            self._close()
            if reused and isinstance(error, ConnectionError):
                return self._ask(method, path, body)
            raise Unreachable(f"the Kubernetes API at {self._settings.server} does not answer: {error}") from error
        answer: dict[str, Any] = _decoded(reply.body)
        if reply.status == 200:
            return answer
        message = f"the Kubernetes API answered {method} {path} with {reply.status}: {answer.get('message')}"
        raise Unreachable(message) if reply.status >= 500 else Refused(message)

    def _dial(self) -> Connection:
        url = urlsplit(self._settings.server)
        try:
            return Connection(url.hostname or "", url.port or 443, self._context if url.scheme == "https" else None)
        except OSError as error:
            raise Unreachable(f"the Kubernetes API at {self._settings.server} does not answer: {error}") from error

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def marks_of(lease: Lease) -> dict[str, str]:
    """What flannel writes on its Node."""
    data = {"VNI": lease.vni, "VtepMAC": lease.mac} if lease.backend == VXLAN else None
    return {
        f"{ANNOTATION}/kube-subnet-manager": "true",
        f"{ANNOTATION}/backend-type": lease.backend,
        f"{ANNOTATION}/backend-data": json.dumps(data, separators=(",", ":")),
        f"{ANNOTATION}/public-ip": lease.public_ip,
    }


def marks_on(node: dict[str, Any]) -> dict[str, str]:
    """The annotations of a Node."""
    return node["metadata"].get("annotations") or {}


def network_available() -> dict[str, str]:
    """The condition that lets the scheduler use the node where a cloud provider had marked it unavailable."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "type": "NetworkUnavailable",
        "status": "False",
        "reason": "FlannelIsUp",
        "message": "Flannel is running on this node",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }


def pod_subnet(node: dict[str, Any]) -> IPv4Network | None:
    """The first IPv4 pod CIDR of a Node."""
    spec = node.get("spec", {})
    for text in spec.get("podCIDRs") or [spec.get("podCIDR", "")]:
        try:
            return IPv4Network(text)
        except ValueError:
            continue
    return None


def node_lease(node: dict[str, Any]) -> Lease | None:
    """The lease a Node carries, or None where no flannel wrote one."""
    marks = marks_on(node)
    subnet = pod_subnet(node)
    if subnet is None or marks.get(f"{ANNOTATION}/kube-subnet-manager") != "true":
        return None
    try:
        address = marks.get(f"{ANNOTATION}/public-ip-overwrite") or marks[f"{ANNOTATION}/public-ip"]
        data = json.loads(marks.get(f"{ANNOTATION}/backend-data") or "null")
        return lease_of(subnet, address, marks.get(f"{ANNOTATION}/backend-type", ""), data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {"message": body[:200].decode(errors="replace")}
    return answer if isinstance(answer, dict) else {}
