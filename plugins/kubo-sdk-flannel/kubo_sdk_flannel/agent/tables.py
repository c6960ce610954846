"""Reads and writes addresses, routes, neighbours and FDB entries of this network namespace."""

from __future__ import annotations

import errno
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NamedTuple

from kubo_sdk_flannel.agent import netlink
from kubo_sdk_flannel.agent.dataplane import Changes, Forwarding, Neighbour, Route
from kubo_sdk_flannel.agent.messages import build, ifaddrmsg, ndmsg, rtmsg
from kubo_sdk_flannel.agent.netlink import Netlink

INET, BRIDGE = 2, 7
MAIN_TABLE = 254
_UNICAST, _UNIVERSE = 1, 0
_PROTO_BOOT = 3
_ONLINK = 4
_PERMANENT = 0x80
_SELF = 0x02
_GONE = (errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL)


class Address(NamedTuple):
    """One IPv4 address; ``device`` is an interface index."""

    address: IPv4Address
    length: int
    device: int


def addresses(kernel: Netlink, device: int = 0) -> list[Address]:
    """The IPv4 addresses of one interface, or of all."""
    found = kernel.dump(netlink.GETADDR, build(ifaddrmsg, [], family=INET, index=device))
    return [
        Address(IPv4Address(entry.get_attr("IFA_LOCAL")), entry["prefixlen"], entry["index"])
        for entry in found
        if device in (0, entry["index"])
    ]


def put_address(kernel: Netlink, address: Address) -> None:
    kernel.do(netlink.NEWADDR, _address_message(address), netlink.CREATE | netlink.REPLACE)


def delete_address(kernel: Netlink, address: Address) -> None:
    _forgiving(kernel, netlink.DELADDR, _address_message(address))


def routes(kernel: Netlink) -> list[Route]:
    """The unicast routes of the main table with one next hop."""
    found = kernel.dump(netlink.GETROUTE, build(rtmsg, [("RTA_TABLE", MAIN_TABLE)], family=INET))
    return [
        Route(
            IPv4Network((entry.get_attr("RTA_DST"), entry["dst_len"])),
            entry.get_attr("RTA_GATEWAY") or "",
            entry.get_attr("RTA_OIF"),
            bool(entry["flags"] & _ONLINK),
        )
        for entry in found
        if entry["table"] == MAIN_TABLE and entry["type"] == _UNICAST and _has_one_hop(entry)
    ]


def neighbours(kernel: Netlink, device: int) -> frozenset[Neighbour]:
    """The permanent neighbours on *device*."""
    return frozenset(
        Neighbour(entry.get_attr("NDA_DST"), entry.get_attr("NDA_LLADDR") or "")
        for entry in kernel.dump(netlink.GETNEIGH, build(ndmsg, [("NDA_IFINDEX", device)], family=INET))
        if entry["ifindex"] == device and entry["state"] & _PERMANENT
    )


def forwardings(kernel: Netlink, device: int) -> frozenset[Forwarding]:
    """The FDB entries of a VXLAN *device* that name a machine."""
    return frozenset(
        Forwarding(entry.get_attr("NDA_LLADDR"), entry.get_attr("NDA_DST"))
        for entry in kernel.dump(netlink.GETNEIGH, build(ndmsg, [("NDA_IFINDEX", device)], family=BRIDGE))
        if entry["ifindex"] == device and entry.get_attr("NDA_DST")
    )


def on_link(kernel: Netlink, address: str) -> bool:
    """Whether packets to *address* need no router."""
    found = kernel.get(netlink.GETROUTE, build(rtmsg, [("RTA_DST", address)], family=INET, dst_len=32))
    return found is not None and found.get_attr("RTA_GATEWAY") is None


def apply(kernel: Netlink, todo: Changes, vxlan: int) -> list[str]:
    """Carry *todo* out.  One entry that fails does not stop the others; what failed is returned, a sentence each."""
    failed: list[str] = []
    for kind, entry, flags in _operations(todo, vxlan):
        try:
            kernel.do(kind, entry, flags)
        except OSError as error:
            removal = kind in (netlink.DELNEIGH, netlink.DELROUTE)
            if not (removal and error.errno in _GONE):
                failed.append(f"cannot {'remove' if removal else 'set'} {_describe(entry)}: {error.strerror}")
    return failed


def _operations(todo: Changes, vxlan: int) -> list[tuple[int, Any, int]]:
    put = netlink.CREATE | netlink.REPLACE
    add, remove = todo.add, todo.remove
    return [
        *((netlink.NEWNEIGH, _neighbour_message(entry, vxlan), put) for entry in add.neighbours),
        *((netlink.NEWNEIGH, _forwarding_message(entry, vxlan), put) for entry in add.forwardings),
        *((netlink.NEWROUTE, _route_message(entry), put) for entry in add.routes),
        *((netlink.DELNEIGH, _neighbour_message(entry, vxlan), 0) for entry in remove.neighbours),
        *((netlink.DELNEIGH, _forwarding_message(entry, vxlan), 0) for entry in remove.forwardings),
        *((netlink.DELROUTE, _route_message(entry), 0) for entry in remove.routes),
    ]


def _neighbour_message(entry: Neighbour, device: int) -> Any:
    attributes = [("NDA_DST", entry.address), ("NDA_LLADDR", entry.mac)]
    return build(ndmsg, attributes, family=INET, ifindex=device, state=_PERMANENT)


def _forwarding_message(entry: Forwarding, device: int) -> Any:
    attributes = [("NDA_DST", entry.address), ("NDA_LLADDR", entry.mac)]
    return build(ndmsg, attributes, family=BRIDGE, ifindex=device, state=_PERMANENT, flags=_SELF)


def _route_message(entry: Route) -> Any:
    attributes: list[tuple[str, Any]] = [("RTA_DST", str(entry.subnet.network_address)), ("RTA_OIF", entry.device)]
    if entry.gateway:
        attributes.append(("RTA_GATEWAY", entry.gateway))
    return build(
        rtmsg,
        attributes,
        family=INET,
        dst_len=entry.subnet.prefixlen,
        table=MAIN_TABLE,
        proto=_PROTO_BOOT,
        scope=_UNIVERSE,
        type=_UNICAST,
        flags=_ONLINK if entry.onlink else 0,
    )


def _address_message(address: Address) -> Any:
    attributes = [("IFA_LOCAL", str(address.address)), ("IFA_ADDRESS", str(address.address))]
    return build(ifaddrmsg, attributes, family=INET, prefixlen=address.length, index=address.device)


def _has_one_hop(entry: Any) -> bool:
    return bool(entry["dst_len"]) and entry.get_attr("RTA_DST") is not None and entry.get_attr("RTA_OIF") is not None


def _forgiving(kernel: Netlink, kind: int, entry: Any) -> None:
    try:
        kernel.do(kind, entry)
    except OSError as error:
        if error.errno not in _GONE:
            raise


def _describe(entry: Any) -> str:
    if isinstance(entry, rtmsg):
        return f"the route to {entry.get_attr('RTA_DST')}/{entry['dst_len']} via {entry.get_attr('RTA_GATEWAY')}"
    kind = "FDB entry" if entry["family"] == BRIDGE else "neighbour"
    return f"the {kind} {entry.get_attr('NDA_LLADDR')} at {entry.get_attr('NDA_DST')}"
