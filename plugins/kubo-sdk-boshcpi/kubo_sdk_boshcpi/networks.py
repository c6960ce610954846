"""Networks of one machine, as ``create_vm`` wants and tells them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

from kubo_sdk.errors import ConfigError, QuotaExceeded
from kubo_sdk_boshcpi.config import NetworkOption, NetworkType


def networks_of(networks: tuple[NetworkOption, ...], az: str) -> tuple[NetworkOption, ...]:
    """The networks of a machine in *az*; ConfigError when there is none."""
    found = tuple(network for network in networks if not network.azs or az in network.azs)
    if not found:
        raise ConfigError([f"cpi bosh: networks: none is for the AZ {az!r}; add it to the azs of one"])
    return found


def settings(networks: tuple[NetworkOption, ...], addresses: Mapping[str, str]) -> dict[str, Any]:
    """The networks hash.  *addresses* holds one for each manual network; the first network is the default gateway."""
    return {
        network.name: {**_addressing(network, addresses), **_defaults(network, first=not index)}
        for index, network in enumerate(networks)
    }


def _addressing(network: NetworkOption, addresses: Mapping[str, str]) -> dict[str, Any]:
    if network.type is NetworkType.DYNAMIC or network.range is None:
        return {"type": "dynamic"}
    return {
        "type": "manual",
        "ip": addresses[network.name],
        "netmask": str(network.range.netmask),
        "gateway": str(network.gateway),
    }


def _defaults(network: NetworkOption, *, first: bool) -> dict[str, Any]:
    return {
        "dns": [str(server) for server in network.dns],
        "default": ["dns", "gateway"] if first else [],
        "cloud_properties": dict(network.cloud_properties),
    }


def choose(network: NetworkOption, slug: str, taken: Collection[str], remembered: Mapping[str, str]) -> str:
    """A free address of a manual network: the one the instance had, or the first that no other instance had.

    *remembered* maps the slugs of instances to addresses.  QuotaExceeded when none is left.
    """
    free = [address for address in _usable(network) if address not in taken]
    had = remembered.get(slug)
    if had in free:
        return str(had)
    of_others = set(remembered.values())
    fresh = [address for address in free if address not in of_others]
    if not free:
        raise QuotaExceeded(
            f"every address of the network {network.name!r} is taken ({len(taken)} in use); "
            "widen first and last in the CPI's options, or remove machines"
        )
    return (fresh or free)[0]


def _usable(network: NetworkOption) -> Iterator[str]:
    assert network.range is not None, "checked when the options were read"
    first = network.first or network.range.network_address
    last = network.last or network.range.broadcast_address
    for address in network.range.hosts():
        if first <= address <= last and address != network.gateway:
            yield str(address)


def address_in(networks: Any) -> str:
    """The address that *networks*, told by ``create_vm``, give the machine: that of its gateway network, or none."""
    if not isinstance(networks, Mapping):
        return ""
    described = [each for each in networks.values() if isinstance(each, Mapping) and each.get("type") != "vip"]
    described.sort(key=lambda each: "gateway" not in (each.get("default") or ()))
    return next((str(each["ip"]) for each in described if _is_address(each.get("ip"))), "")


def _is_address(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(IPv4Address(text))
    except ValueError:
        return False
