"""The bridge of a cluster, in the network namespace of the calling thread."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from kubo_sdk.errors import Conflict
from kubo_sdk_local import addresses
from kubo_sdk_local.netlink import Netlink


def has_bridge(name: str, subnet: IPv4Network) -> bool:
    """Whether the bridge is there with its address."""
    own = IPv4Address(addresses.gateway(subnet)).packed
    with Netlink() as netlink:
        index = netlink.link_index(name)
        return (index, own, subnet.prefixlen) in netlink.addresses()


def check_subnet(name: str, subnet: IPv4Network) -> None:
    """Raise Conflict when an address or route of this host, other than the bridge's own, overlaps the subnet."""
    with Netlink() as netlink:
        own = netlink.link_index(name)
        for index, network, prefix in (*netlink.addresses(), *netlink.routes()):
            other = IPv4Network((network, prefix), strict=False)
            if index != own and other.overlaps(subnet):
                raise Conflict(
                    f"the bridge address {addresses.gateway(subnet)} is taken: the subnet {subnet} overlaps {other}, "
                    "which this host uses already; give the cpi another one with its option 'subnet'"
                )


def ensure_bridge(name: str, subnet: IPv4Network) -> None:
    """Make the bridge with the first address of *subnet*."""
    check_subnet(name, subnet)
    own = IPv4Address(addresses.gateway(subnet)).packed
    with Netlink() as netlink:
        if netlink.link_index(name) is None:
            netlink.add_bridge(name, b"\x0a\x4b" + own)
        netlink.add_address(netlink.get_index(name), own, subnet.prefixlen)


def remove_bridge(name: str) -> None:
    """Remove the bridge; one that is absent is fine."""
    with Netlink() as netlink:
        netlink.delete_link(name)
