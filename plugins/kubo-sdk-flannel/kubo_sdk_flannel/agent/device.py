"""The interface packets leave through: the machine's own, and above it the device ``flannel.<VNI>``."""

from __future__ import annotations

import errno
import os
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, NamedTuple

from kubo_sdk_flannel.agent import netlink, tables
from kubo_sdk_flannel.agent.dataplane import device_mtu
from kubo_sdk_flannel.agent.messages import build, linkmsg
from kubo_sdk_flannel.agent.netlink import Netlink
from kubo_sdk_flannel.agent.trouble import say
from kubo_sdk_flannel.agent.wire import Network

_UP = 1
_VXLAN_PORT = 8472  # what the kernel takes when the configuration says 0
_PREFIX = "flannel."


class NoUnderlay(Exception):
    """No interface has this machine's address."""


class Underlay(NamedTuple):
    """The interface that has this machine's address; ``device`` is its index."""

    device: int
    mtu: int


def find_underlay(kernel: Netlink, public_ip: str) -> Underlay:
    """Raises NoUnderlay."""
    wanted = IPv4Address(public_ip)
    for address in tables.addresses(kernel):
        if address.address == wanted:
            link = kernel.get(netlink.GETLINK, build(linkmsg, [], index=address.device))
            if link is not None:
                return Underlay(address.device, link.get_attr("IFLA_MTU"))
    raise NoUnderlay(f"no interface of this machine has the address {public_ip}")


def new_mac() -> str:
    """A random unicast address from the locally administered range."""
    raw = bytearray(os.urandom(6))
    raw[0] = raw[0] & 0xFE | 0x02
    return raw.hex(":")


class VxlanDevice:
    """``flannel.<VNI>`` as flannel makes it: no learning, no misses; its MAC is given at creation, so udev keeps it."""

    def __init__(self, kernel: Netlink, network: Network, public_ip: str) -> None:
        self._kernel = kernel
        self._network = network
        self._public_ip = public_ip
        self.name = f"{_PREFIX}{network.backend.vni}"
        self.mac = ""
        self.index = 0

    def adopt_mac(self, lease_mac: str) -> None:
        """Keep the MAC of a device from an earlier run, else that of this node's old lease, else roll a new one."""
        found = self._find()
        self.mac = (found.get_attr("IFLA_ADDRESS") if found is not None else "") or lease_mac or new_mac()

    def ensure(self, underlay: Underlay, subnet: IPv4Network) -> None:
        """Make the device, or make it right; afterwards `index` is true.  Raises OSError."""
        found = self._find()
        if found is not None and not self._matches(found, underlay):
            say(f"{self.name} is set up differently; making it anew")
            self._delete(found["index"])
            found = None
        if found is None:
            found = self._create(underlay)
        self.index = found["index"]
        self._correct(found, device_mtu(self._network, underlay.mtu))
        self._ensure_address(subnet)

    def remove_others(self) -> None:
        """Remove flannel devices that an earlier configuration left on this network."""
        for link in self._kernel.dump(netlink.GETLINK, build(linkmsg, [])):
            name = link.get_attr("IFLA_IFNAME")
            used = self._network.backend.type == "vxlan" and name == self.name
            if not used and name.startswith(_PREFIX) and _kind(link) == "vxlan" and self._is_ours(link["index"]):
                say(f"removing {name}, left over from another configuration")
                self._delete(link["index"])

    def _is_ours(self, index: int) -> bool:
        return any(found.address in self._network.network for found in tables.addresses(self._kernel, index))

    def _find(self) -> Any:
        return self._kernel.get(netlink.GETLINK, build(linkmsg, [("IFLA_IFNAME", self.name)]))

    def _matches(self, link: Any, underlay: Underlay) -> bool:
        settings = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
        if _kind(link) != "vxlan" or settings is None:
            return False
        return all(settings.get_attr(name) == value for name, value in self._settings(underlay))

    def _settings(self, underlay: Underlay) -> list[tuple[str, Any]]:
        return [
            ("IFLA_VXLAN_ID", self._network.backend.vni),
            ("IFLA_VXLAN_LINK", underlay.device),
            ("IFLA_VXLAN_LOCAL", self._public_ip),
            ("IFLA_VXLAN_PORT", self._network.backend.port or _VXLAN_PORT),
            ("IFLA_VXLAN_LEARNING", 0),
        ]

    def _create(self, underlay: Underlay) -> Any:
        linkinfo = [("IFLA_INFO_KIND", "vxlan"), ("IFLA_INFO_DATA", {"attrs": self._settings(underlay)})]
        attributes = [
            ("IFLA_IFNAME", self.name),
            ("IFLA_ADDRESS", self.mac),
            ("IFLA_MTU", device_mtu(self._network, underlay.mtu)),
            ("IFLA_LINKINFO", {"attrs": linkinfo}),
        ]
        self._kernel.do(netlink.NEWLINK, build(linkmsg, attributes), netlink.CREATE | netlink.EXCL)
        _refuse_router_advertisements(self.name)
        found = self._find()
        if found is None:
            raise OSError(errno.ENODEV, f"{self.name} vanished as it was made")
        return found

    def _correct(self, link: Any, mtu: int) -> None:
        attributes: list[tuple[str, Any]] = []
        if link.get_attr("IFLA_MTU") != mtu:
            attributes.append(("IFLA_MTU", mtu))
        if link.get_attr("IFLA_ADDRESS") != self.mac:
            attributes.append(("IFLA_ADDRESS", self.mac))
        if attributes or not link["flags"] & _UP:
            up = build(linkmsg, attributes, index=self.index, flags=_UP, change=_UP)
            self._kernel.do(netlink.NEWLINK, up)

    def _ensure_address(self, subnet: IPv4Network) -> None:
        wanted = tables.Address(subnet.network_address, 32, self.index)
        found = tables.addresses(self._kernel, self.index)
        for address in found:
            if address != wanted and address.address in self._network.network:
                tables.delete_address(self._kernel, address)
        if wanted not in found:
            tables.put_address(self._kernel, wanted)

    def _delete(self, index: int) -> None:
        self._kernel.do(netlink.DELLINK, build(linkmsg, [], index=index))


def _kind(link: Any) -> str:
    return str(link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))


def _refuse_router_advertisements(name: str) -> None:
    knob = Path(f"/proc/sys/net/ipv6/conf/{name}/accept_ra")
    if knob.exists():
        knob.write_text("0")
