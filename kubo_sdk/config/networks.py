"""The rules for addresses and ports: ranges that do not overlap and are large enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import attrs

from kubo_sdk.config.place import Path, dotted
from kubo_sdk.config.problem import Problem
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec

SERVICES_PREFIXES = (12, 26)  # the API server refuses more than 20 bits; .10 is the cluster DNS, with room beside it
WORKER_PREFIX = 24
NODE_PORTS_FROM = 1024
COMPONENT_PORTS = {10250: "kubelet", 10256: "kube-proxy's health check", 2379: "etcd", 2380: "etcd's peers"}

_PODS: Path = ("network", "pods")
_SERVICES: Path = ("network", "services")
_NODE_PORTS: Path = ("network", "node_ports")
_API_PORT: Path = ("kubernetes", "api_port")


def check_networks(spec: ClusterSpec, others: Mapping[Path, IPv4Network] | None = None) -> Iterator[Problem]:
    """Overlaps among the spec's own networks and *others*, such as ``{("cpi", "subnet"): …}``.

    An overlap is told at the later of the two, and always at one of *others* where one is involved.
    """
    own = {_PODS: spec.network.pods, _SERVICES: spec.network.services}
    for path, network in own.items():
        if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
            yield Problem(path, f"is {network}, which no cluster can use; choose a private range such as 10.200.0.0/16")
    for (first, one), (second, two) in combinations({**own, **(others or {})}.items(), 2):
        if one.overlaps(two):
            message = f"is {two} and overlaps {dotted(first)}, {one}; choose ranges that share no address"
            yield Problem(second, message, derived_from=(first,))


def check_room(spec: ClusterSpec) -> Iterator[Problem]:
    """Whether the services hold the cluster DNS and the pods a /24 for every worker."""
    largest, smallest = SERVICES_PREFIXES
    prefix = spec.network.services.prefixlen
    if prefix > smallest:
        yield Problem(_SERVICES, f"is a /{prefix}, too small for services; choose a /{smallest} or larger")
    if prefix < largest:
        yield Problem(_SERVICES, f"is a /{prefix}, larger than the API server takes; choose a /{largest} or smaller")
    yield from _pods_room(spec)


def _pods_room(spec: ClusterSpec) -> Iterator[Problem]:
    workers = sum(group.instances for group in spec.instance_groups if group.role is Role.WORKER)
    prefix = spec.network.pods.prefixlen
    room = 2 ** (WORKER_PREFIX - prefix) if prefix <= WORKER_PREFIX else 0
    if room < max(workers, 1):
        wanted = WORKER_PREFIX - max(workers - 1, 0).bit_length()
        count = f"{workers} worker{'' if workers == 1 else 's'}"
        message = f"is a /{prefix}, too small for a /{WORKER_PREFIX} for each of {count}; choose a /{wanted} or larger"
        groups = (("instance_groups",), *_paths_of_groups(spec, "instances"), *_paths_of_groups(spec, "role"))
        yield Problem(_PODS, message, derived_from=groups)


def check_ports(spec: ClusterSpec) -> Iterator[Problem]:
    """Whether the node ports are a range, and the API port and the nodes' own ports lie outside of it."""
    first, last = spec.network.node_ports
    api_port = spec.kubernetes.api_port
    if not 1 <= api_port <= 65535:
        yield Problem(_API_PORT, f"must be a port from 1 to 65535, not {api_port}")
    elif api_port in COMPONENT_PORTS:
        yield Problem(
            _API_PORT, f"is {api_port}, the port of {COMPONENT_PORTS[api_port]}; choose another, such as 8443"
        )
    if not NODE_PORTS_FROM <= first <= last <= 65535:
        message = f"must go upwards within {NODE_PORTS_FROM} to 65535, not from {first} to {last}"
        yield Problem(_NODE_PORTS, message)
        return
    if first <= api_port <= last:
        message = f"is {first}-{last} and holds kubernetes.api_port, {api_port}; move one of them"
        yield Problem(_NODE_PORTS, message, derived_from=(_API_PORT,))
    for port, user in sorted(COMPONENT_PORTS.items()):
        if first <= port <= last:
            yield Problem(_NODE_PORTS, f"is {first}-{last} and holds {port}, the port of {user}; choose another range")


def networks_in(config: Any, path: str) -> Mapping[Path, IPv4Network]:
    """Every option of a provider's *config* that is an IPv4 network, by the path it is written at."""
    return {
        (path, field.alias or field.name): value
        for field in attrs.fields(type(config))
        if isinstance(value := getattr(config, field.name), IPv4Network)
    }


def _paths_of_groups(spec: ClusterSpec, key: str) -> tuple[Path, ...]:
    return tuple(("instance_groups", index, key) for index in range(len(spec.instance_groups)))
