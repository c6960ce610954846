"""The zones the cluster DNS answers for itself.  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from kubo_sdk.model.spec import ClusterSpec


def cluster_zones(spec: ClusterSpec) -> tuple[str, ...]:
    """The cluster's domain, then the reverse zones of its services and pods, without dots at their ends."""
    networks = (spec.network.services, spec.network.pods)
    return (spec.network.domain, *(zone for network in networks for zone in reverse_zones(network)))


def reverse_zones(network: IPv4Network) -> Iterator[str]:
    """The zones that cover *network* and nothing beside it: a /22 is four zones of a /24."""
    octets = max(1, -(-network.prefixlen // 8))
    length = min(8 * octets, 24)
    parts = network.subnets(new_prefix=length) if network.prefixlen <= length else (network.supernet(new_prefix=24),)
    for part in parts:
        labels = str(part.network_address).split(".")[: length // 8]
        yield ".".join((*reversed(labels), "in-addr.arpa"))
