"""FlannelConfig: what a spec may say about its overlay."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any

import attrs
from attrs import field, frozen

SMALLEST_MTU = 576 + 50  # what every IPv4 path carries, and VXLAN's own headers
LARGEST_MTU = 65535

_PREFIX = re.compile(r"(/[A-Za-z0-9._-]+)+")


class StoreKind(StrEnum):
    """Where the nodes keep their subnet leases."""

    ETCD = "etcd"
    KUBERNETES = "kubernetes"


class BackendKind(StrEnum):
    """How packets travel between nodes."""

    VXLAN = "vxlan"
    HOST_GW = "host-gw"


def _between(low: int, high: int) -> Any:
    def check(_: Any, __: attrs.Attribute[Any], value: int | None) -> None:
        if value is not None and not low <= value <= high:
            raise ValueError(f"{value} is not a number from {low} to {high}")

    return check


def _is_prefix(_: Any, __: attrs.Attribute[Any], value: str) -> None:
    if not _PREFIX.fullmatch(value):
        raise ValueError(f"{value!r} is no path in etcd; write it like /coreos.com/network, with no slash at its end")
    if value == "/registry" or value.startswith("/registry/"):
        raise ValueError(f"{value!r} is where Kubernetes keeps its own keys; nodes must not get near them")


@frozen(kw_only=True)
class FlannelConfig:
    """``mtu`` is that of the network between the machines, where the interface does not tell the truth.

    ``subnet_len`` is the prefix length of one node's subnet; without it flannel's own rule holds: 24, or two more
    than the network's where that is longer than 22.
    """

    store: StoreKind = StoreKind.ETCD
    backend: BackendKind = BackendKind.VXLAN
    vni: int = field(default=1, validator=_between(1, 2**24 - 1))
    port: int = field(default=8472, validator=_between(1, 65535))
    direct_routing: bool = False
    prefix: str = field(default="/coreos.com/network", validator=_is_prefix)
    subnet_len: int | None = field(default=None, validator=_between(3, 30))
    mtu: int | None = field(default=None, validator=_between(SMALLEST_MTU, LARGEST_MTU))

    def __attrs_post_init__(self) -> None:
        if self.backend is BackendKind.HOST_GW and self.direct_routing:
            raise ValueError("direct_routing is a way of vxlan; host-gw routes directly anyway, leave it out")
        if self.backend is BackendKind.HOST_GW and self.mtu is not None:
            raise ValueError("host-gw takes the MTU of the interface; leave mtu out")
        if self.store is StoreKind.KUBERNETES and self.subnet_len is not None:
            raise ValueError("with store kubernetes the controller manager cuts the subnets; leave subnet_len out")


def network_problem(config: FlannelConfig, pods: IPv4Network) -> str | None:
    """Why *pods* cannot be cut as *config* says, or None.  One sentence."""
    if pods.prefixlen > 28:
        return f"network.pods {pods} is too small for flannel; give it a /28 or a larger one, such as /16"
    if config.subnet_len is not None and config.subnet_len < pods.prefixlen + 2:
        return (
            f"overlay.subnet_len {config.subnet_len} leaves no subnets in network.pods {pods}; "
            f"choose a number from {pods.prefixlen + 2} to 30"
        )
    return None
