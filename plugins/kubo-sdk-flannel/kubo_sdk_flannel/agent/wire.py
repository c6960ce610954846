"""Flannel's own words: network configuration, subnet leases and subnet.env, byte for byte.  Pure."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NamedTuple

VXLAN = "vxlan"
HOST_GW = "host-gw"

_LEASE_KEY = re.compile(r"(\d+\.\d+\.\d+\.\d+)-(\d+)(?:&[a-f\d:]+-\d+)?$")


class BadNetwork(ValueError):
    """The network configuration cannot be used.  One sentence."""


class Backend(NamedTuple):
    """How packets travel.  ``mtu`` is the underlay's, 0 means: ask the interface.  ``port`` 0 is the kernel's own."""

    type: str
    vni: int = 1
    port: int = 0
    mtu: int = 0
    direct_routing: bool = False


class Network(NamedTuple):
    """The whole pod network and the range its subnets are chosen from."""

    network: IPv4Network
    subnet_length: int
    subnet_min: IPv4Address
    subnet_max: IPv4Address
    backend: Backend

    def fits(self, subnet: IPv4Network) -> bool:
        """Whether *subnet* could have been chosen under this configuration."""
        return (
            subnet.prefixlen == self.subnet_length
            and self.subnet_min <= subnet.network_address <= self.subnet_max
            and subnet.subnet_of(self.network)
        )


class Lease(NamedTuple):
    """One node's part of the network.  ``mac`` and ``vni`` belong to VXLAN and are empty and 0 otherwise."""

    subnet: IPv4Network
    public_ip: str
    backend: str
    vni: int = 0
    mac: str = ""


def parse_network(text: str | bytes) -> Network:
    """Read flannel's configuration JSON; its keys are matched without regard to case.  Raises BadNetwork."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise BadNetwork(f"the network configuration is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadNetwork("the network configuration is not a JSON object")
    fields = {key.lower(): value for key, value in raw.items()}
    try:
        network = IPv4Network(fields["network"])
        length = int(fields.get("subnetlen") or _default_length(network))
        low = IPv4Address(fields.get("subnetmin") or network.network_address + (1 << (32 - length)))
        high = IPv4Address(fields.get("subnetmax") or network.broadcast_address - (1 << (32 - length)) + 1)
        backend = _parse_backend(fields.get("backend") or {})
    except KeyError as error:
        raise BadNetwork(f"the network configuration has no {error.args[0]!r}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BadNetwork(f"the network configuration is wrong: {error}") from error
    return _checked(Network(network, length, low, high, backend))


def _default_length(network: IPv4Network) -> int:
    return 24 if network.prefixlen <= 22 else network.prefixlen + 2


def _parse_backend(raw: dict[str, Any]) -> Backend:
    fields = {key.lower(): value for key, value in raw.items()}
    kind = str(fields.get("type") or "udp")
    if kind not in (VXLAN, HOST_GW):
        raise BadNetwork(f"the network configuration asks for backend {kind!r}; this agent knows vxlan and host-gw")
    return Backend(
        type=kind,
        vni=int(fields.get("vni") or 1),
        port=int(fields.get("port") or 0),
        mtu=int(fields.get("mtu") or 0),
        direct_routing=bool(fields.get("directrouting")),
    )


def _checked(network: Network) -> Network:
    prefix = network.network.prefixlen
    if prefix > 28 or not prefix + 2 <= network.subnet_length <= 30:
        raise BadNetwork(
            f"{network.network} cannot be cut into subnets of length {network.subnet_length}; "
            f"choose a length from {prefix + 2} to 30 and a network no smaller than /28"
        )
    step = 1 << (32 - network.subnet_length)
    for edge in (network.subnet_min, network.subnet_max):
        if edge not in network.network or int(edge) % step:
            raise BadNetwork(f"{edge} is not the start of a /{network.subnet_length} inside {network.network}")
    return network


def lease_key(prefix: str, subnet: IPv4Network) -> str:
    """``/coreos.com/network/subnets/10.244.52.0-24``."""
    return f"{prefix}/subnets/{subnet.network_address}-{subnet.prefixlen}"


def lease_value(lease: Lease) -> bytes:
    """The value of a lease key, its fields in the order Go writes them."""
    fields: dict[str, Any] = {"PublicIP": lease.public_ip, "PublicIPv6": None, "BackendType": lease.backend}
    if lease.backend == VXLAN:
        fields["BackendData"] = {"VNI": lease.vni, "VtepMAC": lease.mac}
    return json.dumps(fields, separators=(",", ":")).encode()


def parse_subnet_key(key: str) -> IPv4Network | None:
    """The subnet a lease key names, or None for a key of another kind."""
    match = _LEASE_KEY.search(key)
    if match is None:
        return None
    try:
        return IPv4Network(f"{match[1]}/{match[2]}")
    except ValueError:
        return None


def parse_lease(key: str, value: str | bytes) -> Lease | None:
    """One key and value from the ``subnets/`` range; None when it is not a lease this agent can read."""
    subnet = parse_subnet_key(key)
    if subnet is None:
        return None
    try:
        fields = json.loads(value)
        return lease_of(subnet, str(fields["PublicIP"]), str(fields.get("BackendType")), fields.get("BackendData"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def lease_of(subnet: IPv4Network, public_ip: str, backend: str, backend_data: dict[str, Any] | None) -> Lease:
    """A lease out of flannel's four facts."""
    data = backend_data or {}
    address = str(IPv4Address(public_ip))
    return Lease(subnet, address, backend, int(data.get("VNI") or 0), str(data.get("VtepMAC") or "").lower())


def subnet_env(network: Network, subnet: IPv4Network, mtu: int) -> str:
    """``/run/flannel/subnet.env``."""
    return (
        f"FLANNEL_NETWORK={network.network}\n"
        f"FLANNEL_SUBNET={subnet.network_address + 1}/{subnet.prefixlen}\n"
        f"FLANNEL_MTU={mtu}\n"
        "FLANNEL_IPMASQ=true\n"
    )


def parse_subnet_env(text: str) -> IPv4Network | None:
    """The subnet an earlier run wrote down."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "FLANNEL_SUBNET":
            try:
                return IPv4Network(value.strip(), strict=False)
            except ValueError:
                return None
    return None
