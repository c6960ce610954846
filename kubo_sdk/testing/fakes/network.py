"""The fake cloud's names, load balancers, pod network and cluster DNS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubo_sdk.errors import Conflict
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo
from kubo_sdk.ports.dns import RECORD_TYPES, Dns, DnsInfo, Record
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Health, Ingress, IngressInfo
from kubo_sdk.ports.overlay import Overlay, OverlayInfo
from kubo_sdk.testing.fakes.faults import port_call
from kubo_sdk.testing.fakes.front import Balance
from kubo_sdk.testing.fakes.site import FakeSite, LoadBalancer
from kubo_sdk.testing.fakes.wire import Listener

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud

OVERLAY_KEY = "/fake/network/config"
NETWORK = b'{"Network": "fake"}'


class FakeDns:
    """Keeps records that nobody asks for."""

    port = "dns"

    def __init__(self, site: FakeSite) -> None:
        self._site = site
        self.faults = site.cloud.faults

    def info(self) -> DnsInfo:
        return DnsInfo(publishes=True)

    @port_call()
    def list_records(self) -> tuple[Record, ...]:
        with self._site.cloud.lock:
            return tuple(record for _, record in sorted(self._site.records.items()))

    @port_call(about=lambda record: str(record.name))
    def put_record(self, record: Record) -> None:
        with self._site.cloud.lock:
            for site in self._site.cloud.sites():
                for held in _named(site, record.name):
                    if _excludes(held, record, same_owner=site is self._site):
                        raise Conflict(f"{held.type} {held.name} belongs to {site.cluster}; choose another name")
            self._site.records[record.name.lower(), record.type] = record

    @port_call()
    def delete_record(self, name: str, type: str) -> None:
        with self._site.cloud.lock:
            self._site.records.pop((name.lower(), type), None)


def _named(site: FakeSite, name: str) -> list[Record]:
    keys = ((name.lower(), kind) for kind in RECORD_TYPES)
    return [site.records[key] for key in keys if key in site.records]


def _excludes(held: Record, wished: Record, *, same_owner: bool) -> bool:
    """Whether *wished* cannot be put while *held*, which has the same name, is there."""
    if held.type == wished.type:
        return not same_owner
    return "CNAME" in {held.type, wished.type}


class FakeOverlay:
    """A pod network that needs either keys in etcd or a pod CIDR for each Node."""

    port = "overlay"

    def __init__(self, cloud: FakeCloud) -> None:
        self._node_cidrs = cloud.node_cidrs
        self.faults = cloud.faults

    def info(self) -> OverlayInfo:
        return OverlayInfo(node_cidrs=True) if self._node_cidrs else OverlayInfo(etcd_prefixes=("/fake/network/",))

    @port_call(about=lambda _etcd: OVERLAY_KEY)
    def ensure_network(self, etcd: Etcd) -> None:
        found = etcd.get(OVERLAY_KEY)
        if not self._node_cidrs and (found is None or found.value != NETWORK):
            etcd.put(OVERLAY_KEY, NETWORK)

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        return ()


class FakeClusterDns:
    """Answers nobody, and has a user towards the API like one that runs on the machines."""

    user = "fake:cluster-dns"

    def info(self) -> ClusterDnsInfo:
        return ClusterDnsInfo(kubernetes_user=self.user)

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        group = "rbac.authorization.k8s.io"
        return (
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": self.user},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "view"},
                "subjects": [{"apiGroup": group, "kind": "User", "name": self.user}],
            },
        )


class FakeIngress:
    """The cloud's load balancer.  It listens at an address of its own and knows which API servers are ready."""

    port = "ingress"

    def __init__(self, site: FakeSite) -> None:
        self._site = site
        self.faults = site.cloud.faults

    def info(self) -> IngressInfo:
        return IngressInfo(runs_on_proxies=False)

    @port_call(about=lambda request: str(request.name))
    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        cloud, held = self._site.cloud, self._site.balancers
        with cloud.lock:
            if request.name not in held:
                held[request.name] = self._made(request)
            balancer = held[request.name]
            balancer.balance.backends = [(backend.address, request.ports[0]) for backend in request.backends]
            balancer.members = frozenset(backend.vm for backend in request.backends)
            return _told(request.name, balancer)

    @port_call()
    def delete_endpoint(self, name: str) -> None:
        cloud = self._site.cloud
        with cloud.lock:
            gone = self._site.balancers.pop(name, None)
            if gone is not None and gone.listener is not None:
                cloud.doorman.shut(gone.listener)

    @port_call(about=lambda _: "")
    def list_endpoints(self) -> tuple[Endpoint, ...]:
        with self._site.cloud.lock:
            return tuple(_told(name, balancer) for name, balancer in sorted(self._site.balancers.items()))

    def _made(self, request: EndpointRequest) -> LoadBalancer:
        """Node ports are only written down: there is nothing behind them that could answer."""
        cloud = self._site.cloud
        balance = Balance(cloud=cloud, backends=[])
        made = LoadBalancer(host=cloud.take_address(), ports=request.ports, balance=balance)
        if request.health is Health.HTTPS_READYZ:
            made.listener = Listener(address=(made.host, request.ports[0]), route=balance.route)
            cloud.doorman.open(made.listener)
        return made


def _told(name: str, balancer: LoadBalancer) -> Endpoint:
    return Endpoint(name=name, host=balancer.host, port=balancer.ports[0], members=balancer.members)


_: tuple[type[Dns], type[Overlay], type[Ingress], type[ClusterDns]] = (
    FakeDns,
    FakeOverlay,
    FakeIngress,
    FakeClusterDns,
)
