"""Services, Nodes and EndpointSlices, of which only what routes are made of is kept."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

TCP_LABEL, HTTP_LABEL = "tcp-route-sync", "http-route-sync"
TCP_ANNOTATION, HTTP_ANNOTATION = "kubo-sdk/tcp-routes", "kubo-sdk/http-routes"

SERVICE_LABEL = "kubernetes.io/service-name"
EXCLUDED_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
HOSTNAME = "kubernetes.io/hostname"

Item = Mapping[str, Any]


class Port(NamedTuple):
    """``name`` is empty for a port without one, ``node_port`` is 0 where there is none."""

    name: str
    number: int
    protocol: str
    node_port: int


class Service(NamedTuple):
    """One that asks for routes.  The four wishes are what the user wrote, None where nothing."""

    namespace: str
    name: str
    uid: str
    created: str
    type: str
    local: bool
    ports: tuple[Port, ...]
    tcp_label: str | None = None
    http_label: str | None = None
    tcp_annotation: str | None = None
    http_annotation: str | None = None

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


class Node(NamedTuple):
    """``address`` is empty where it has no InternalIP.  ``leaving``: cordoned, or kept from balancers by its label."""

    name: str
    address: str
    ready: bool
    leaving: bool


class Slice(NamedTuple):
    """``service`` is the key of the Service it belongs to, ``nodes`` those with an endpoint of it that is ready."""

    service: str
    nodes: frozenset[str]


def key_of(item: Item) -> str:
    """``namespace/name``, or the name of what has no namespace."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def service_of(item: Item) -> Service | None:
    """A Service as the API tells it; None for one that asks for no routes."""
    metadata, spec = item["metadata"], item.get("spec") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    wishes = (
        labels.get(TCP_LABEL),
        labels.get(HTTP_LABEL),
        annotations.get(TCP_ANNOTATION),
        annotations.get(HTTP_ANNOTATION),
    )
    if all(wish is None for wish in wishes) or metadata.get("deletionTimestamp"):
        return None
    return Service(
        metadata["namespace"],
        metadata["name"],
        str(metadata.get("uid") or ""),
        str(metadata.get("creationTimestamp") or ""),
        str(spec.get("type") or "ClusterIP"),
        spec.get("externalTrafficPolicy") == "Local",
        tuple(map(_port, spec.get("ports") or ())),
        *wishes,
    )


def _port(found: Item) -> Port:
    name, protocol = str(found.get("name") or ""), str(found.get("protocol") or "TCP")
    return Port(name, int(found["port"]), protocol, int(found.get("nodePort") or 0))


def node_of(item: Item) -> Node:
    """A Node as the API tells it."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
    excluded = EXCLUDED_LABEL in (metadata.get("labels") or {})
    leaving = bool(spec.get("unschedulable")) or excluded or bool(metadata.get("deletionTimestamp"))
    return Node(metadata["name"], _internal_address(status.get("addresses") or ()), ready, leaving)


def _internal_address(addresses: Any) -> str:
    """The first InternalIP, IPv4 before IPv6."""
    found = [ip_address(each["address"]) for each in addresses if each["type"] == "InternalIP"]
    return str(min(found, key=lambda address: address.version)) if found else ""


def slice_of(item: Item) -> Slice:
    """An EndpointSlice as the API tells it, of ``discovery.k8s.io/v1`` or ``v1beta1``."""
    metadata = item["metadata"]
    name = (metadata.get("labels") or {}).get(SERVICE_LABEL)
    ready = [each for each in item.get("endpoints") or () if (each.get("conditions") or {}).get("ready") is not False]
    nodes = frozenset(each.get("nodeName") or (each.get("topology") or {}).get(HOSTNAME) or "" for each in ready)
    return Slice(f"{metadata['namespace']}/{name}" if name else "", nodes - {""})
