"""BalancedIngress: a balancer for the API in front of the masters, and one for services in front of the workers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Health, Ingress, IngressInfo
from kubo_sdk_libcloud.balancing.balancers import Balancer, Balancers, HealthCheck
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.firewall import KUBE_PROXY_HEALTH

API = "api"
SERVICES = "services"
ENDPOINT = "kubo-endpoint"
PORT = "kubo-port"


class BalancedIngress:
    """Balancers are found by names that follow from the cluster; their tags say whose they are.

    Each keeps its host name until it is deleted, whatever its members.
    """

    def __init__(
        self, cluster: ClusterId, balancers: Balancers, *, service_ports: frozenset[int], idle_timeout: int
    ) -> None:
        self._cluster = cluster
        self.balancers = balancers
        self._service_ports = service_ports
        self._idle_timeout = idle_timeout
        self._turn = threading.Lock()

    def info(self) -> IngressInfo:
        return IngressInfo(serves_node_ports=bool(self._service_ports))

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        """Make or correct the balancer.  Conflict when one of its name is not ours.

        Raises what the cloud's errors mean: QuotaExceeded, AuthError, NotFound for a subnet, Unavailable.
        """
        ports = self._ports(request)
        with self._turn:
            found = self._ours(request.name)
            if found is None:
                self.balancers.create(self._cluster, self.name_of(request.name), ports, self._tags(request))
                found = self._made(request.name)
            self._correct(found, request, ports)
        return self._endpoint(request.name, found)

    def delete_endpoint(self, name: str) -> None:
        """Delete the balancer; one of its name that is not ours stays."""
        found = self.balancers.find(self.name_of(name))
        if found is not None and tags.owner(found.tags) == self._cluster:
            self.balancers.delete(found.name)

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints whose balancers are there."""
        found = ((name, self.balancers.find(self.name_of(name))) for name in (API, SERVICES))
        return tuple(
            self._endpoint(name, balancer)
            for name, balancer in found
            if balancer is not None and tags.owner(balancer.tags) == self._cluster
        )

    def _ports(self, request: EndpointRequest) -> frozenset[int]:
        """A balancer passes single ports on, not a range: of the node ports those that the options name."""
        first, last = request.ports
        if first == last:
            return frozenset((first,))
        strangers = sorted(port for port in self._service_ports if not first <= port <= last)
        if strangers or not self._service_ports:
            what = f"service_ports has {strangers[0]}, which is" if strangers else "service_ports names none of"
            raise NotFound(f"ingress libcloud-lb: {what} no node port from {first} to {last}; change service_ports")
        return self._service_ports

    def _made(self, endpoint: str) -> Balancer:
        found = self._ours(endpoint)
        if found is None:
            raise NotFound(f"the balancer {self.name_of(endpoint)} went away while it was made; run it again")
        return found

    def _ours(self, endpoint: str) -> Balancer | None:
        name = self.name_of(endpoint)
        found = self.balancers.find(name)
        if found is not None and tags.owner(found.tags) != self._cluster:
            raise Conflict(
                f"there is a balancer {name} that has not the tags of cluster {self._cluster}; delete or rename it"
            )
        return found

    def _correct(self, found: Balancer, request: EndpointRequest, ports: frozenset[int]) -> None:
        members = frozenset(backend.vm for backend in request.backends if backend.vm)
        check = _check(request)
        if found.check != check:
            self.balancers.set_check(found.name, check)
            self.balancers.set_idle_timeout(found.name, self._idle_timeout)
        if found.ports != ports:
            self.balancers.set_ports(found.name, add=ports - found.ports, remove=found.ports - ports)
        if found.members != members:
            self.balancers.set_members(found.name, add=members - found.members, remove=found.members - members)

    def _endpoint(self, name: str, found: Balancer) -> Endpoint:
        port = int(found.tags.get(PORT) or min(found.ports, default=0))
        return Endpoint(name=name, host=found.host, port=port, members=found.members)

    def _tags(self, request: EndpointRequest) -> Mapping[str, str]:
        return {**tags.of_cluster(self._cluster), ENDPOINT: request.name, PORT: str(request.ports[0])}

    def name_of(self, endpoint: str) -> str:
        """At most 32 letters, digits and dashes: the cluster's own name may be too long, and others may have it."""
        digest = hashlib.sha256(f"{self._cluster}/{endpoint}".encode()).hexdigest()[:20]
        return f"kubo-{digest}-{endpoint[:6]}"


_: type[Ingress] = BalancedIngress


def _check(request: EndpointRequest) -> HealthCheck:
    if request.health is Health.HTTPS_READYZ:
        return HealthCheck(target=f"HTTPS:{request.ports[0]}/readyz")
    return HealthCheck(target=f"HTTP:{KUBE_PROXY_HEALTH}/healthz")
