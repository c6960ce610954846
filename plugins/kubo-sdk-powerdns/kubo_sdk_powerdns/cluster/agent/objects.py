"""Services and EndpointSlices, of which only what names are made of is kept."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

SERVICE_LABEL = "kubernetes.io/service-name"
EXTERNAL_NAME = "ExternalName"
HEADLESS = "None"

Address = IPv4Address | IPv6Address


class Port(NamedTuple):
    """``name`` is empty for a port without one; ``protocol`` is ``tcp``, ``udp`` or ``sctp``."""

    name: str
    protocol: str
    number: int


class Service(NamedTuple):
    """``external`` is the name an ExternalName stands for, else empty."""

    key: str
    addresses: tuple[str, ...]
    headless: bool
    external: str
    ports: tuple[Port, ...]


class Endpoint(NamedTuple):
    """One address of a ready endpoint.  ``hostname`` is empty where none is given."""

    address: str
    hostname: str


class Slice(NamedTuple):
    """``service`` is the key of the Service it belongs to, ``namespace/name``; empty where it belongs to none."""

    key: str
    service: str
    ports: tuple[Port, ...]
    endpoints: tuple[Endpoint, ...]


def key_of(item: dict[str, Any]) -> str:
    """``namespace/name``."""
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def service_of(item: dict[str, Any]) -> Service:
    """A Service as the API tells it."""
    spec = item.get("spec") or {}
    if spec.get("type") == EXTERNAL_NAME:
        return Service(key_of(item), (), False, str(spec.get("externalName") or "").rstrip("."), ())
    found = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    headless = HEADLESS in found
    addresses = () if headless else tuple(text for text in found if is_address(text))
    return Service(key_of(item), addresses, headless, "", _ports(spec.get("ports")))


def slice_of(item: dict[str, Any]) -> Slice:
    """An EndpointSlice as the API tells it, of ``discovery.k8s.io/v1`` or ``v1beta1``."""
    namespace = item["metadata"]["namespace"]
    name = (item["metadata"].get("labels") or {}).get(SERVICE_LABEL)
    ready = [each for each in item.get("endpoints") or () if (each.get("conditions") or {}).get("ready") is not False]
    endpoints = tuple(
        Endpoint(text, (each.get("hostname") or "").lower())
        for each in ready
        for text in each.get("addresses") or ()
        if is_address(text)
    )
    return Slice(key_of(item), f"{namespace}/{name}" if name else "", _ports(item.get("ports")), endpoints)


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _ports(found: list[dict[str, Any]] | None) -> tuple[Port, ...]:
    """Ports without a number mean every port, and none by name."""
    return tuple(
        Port(str(each.get("name") or "").lower(), str(each.get("protocol") or "TCP").lower(), int(each["port"]))
        for each in found or ()
        if each.get("port")
    )
