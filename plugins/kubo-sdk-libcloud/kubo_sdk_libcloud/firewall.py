"""The ports a cluster uses, as rules of security groups: nothing else is open.  Pure.

The numbers are those of the core's units and of other plugins, which a provider does not import; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Network

from attrs import frozen

from kubo_sdk.model.spec import ClusterSpec

SSH = 22
ETCD_CLIENT, ETCD_PEER = 2379, 2380
KUBELET = 10250
KUBE_PROXY_HEALTH = 10256
NAMES = 53
VXLAN = 8472
# Where flannel's gate to etcd listens, on etcd machines.
OVERLAY_GATE = 2382
BALANCING_INGRESS = "libcloud-lb"


class Group(StrEnum):
    """Who is meant: the machines of the cluster, or the balancers that the infrastructure has in front of them."""

    MACHINES = "machines"
    BALANCERS = "balancers"


@frozen(kw_only=True)
class Rule:
    """*group* accepts ``protocol`` (tcp, udp) at ports ``first`` to ``last`` from *source*, a group or a network."""

    group: Group
    protocol: str
    first: int
    last: int
    source: Group | IPv4Network


def rules(spec: ClusterSpec, admins: tuple[IPv4Network, ...], clients: tuple[IPv4Network, ...]) -> tuple[Rule, ...]:
    """Every port in use, each with those who may come to it.

    *admins* are directors and administrators; *clients* use the API and services.  With the ingress ``libcloud-lb``
    these two come to the group BALANCERS, else to the machines (HAProxy).
    """
    return tuple(
        dict.fromkeys((*_among_machines(spec), *_from_admins(spec, admins), *_from_outside(spec, admins, clients)))
    )


def _among_machines(spec: ClusterSpec) -> Iterator[Rule]:
    api, node_ports = spec.kubernetes.api_port, spec.network.node_ports
    names = (NAMES,) if serves_names(spec) else ()
    gate = (OVERLAY_GATE,) if spec.overlay.options.get("store") != "kubernetes" else ()
    tunnel = (vxlan_port(spec),) if spec.overlay.options.get("backend") != "host-gw" else ()
    for port in (api, ETCD_CLIENT, ETCD_PEER, *gate, KUBELET, KUBE_PROXY_HEALTH, *names):
        yield _tcp(Group.MACHINES, Group.MACHINES, port)
    yield _tcp(Group.MACHINES, Group.MACHINES, *node_ports)
    for port in (*tunnel, *names):
        yield Rule(group=Group.MACHINES, protocol="udp", first=port, last=port, source=Group.MACHINES)
    if routes_directly(spec):
        # What comes from a pod then comes from the pod's own address.
        for protocol in ("tcp", "udp"):
            yield Rule(group=Group.MACHINES, protocol=protocol, first=1, last=65535, source=spec.network.pods)


def _from_admins(spec: ClusterSpec, admins: tuple[IPv4Network, ...]) -> Iterator[Rule]:
    """The director speaks to etcd and to each API server itself."""
    for network in admins:
        for port in (SSH, ETCD_CLIENT, spec.kubernetes.api_port):
            yield _tcp(Group.MACHINES, network, port)


def _from_outside(
    spec: ClusterSpec, admins: tuple[IPv4Network, ...], clients: tuple[IPv4Network, ...]
) -> Iterator[Rule]:
    api, node_ports = (spec.kubernetes.api_port,), spec.network.node_ports
    balanced = spec.ingress.provider == BALANCING_INGRESS
    front = Group.BALANCERS if balanced else Group.MACHINES
    for network in (*admins, *clients):
        yield _tcp(front, network, *api)
        yield _tcp(front, network, *node_ports)
    if balanced:
        yield _tcp(Group.BALANCERS, Group.MACHINES, *api)
        for ports in (api, node_ports, (KUBE_PROXY_HEALTH,)):
            yield _tcp(Group.MACHINES, Group.BALANCERS, *ports)


def _tcp(group: Group, source: Group | IPv4Network, first: int, last: int = 0) -> Rule:
    return Rule(group=group, protocol="tcp", first=first, last=last or first, source=source)


def vxlan_port(spec: ClusterSpec) -> int:
    """The port of the overlay's tunnels: its option ``port``, as flannel has it."""
    port = spec.overlay.options.get("port", VXLAN)
    return port if isinstance(port, int) else VXLAN


def serves_names(spec: ClusterSpec) -> bool:
    """Whether machines of the cluster run the name server of its zone, as PowerDNS does without one elsewhere."""
    return spec.dns.provider == "powerdns" and not {"api", "update"} & set(spec.dns.options)


def routes_directly(spec: ClusterSpec) -> bool:
    """Whether the overlay sends packets with pods' addresses on their way without a tunnel, as flannel can."""
    return spec.overlay.options.get("backend") == "host-gw" or spec.overlay.options.get("direct_routing") is True
