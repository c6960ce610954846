"""Tells when somebody touched what the agent made: kernel events, read no further than their heads."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

from kubo_sdk_flannel.agent import netlink
from kubo_sdk_flannel.agent.dataplane import Devices

_LINK, _NEIGH, _IPV4_ADDRESS, _IPV4_ROUTE = 0x1, 0x4, 0x10, 0x40
_NETFILTER = 12
_NFTABLES_GROUP = 7
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_HEADER = struct.Struct("=IHHII")
_INDEX = struct.Struct("=i")
_BLOCK = 1 << 16
_MAIN_TABLE = 254
_NEIGH_KINDS = (netlink.NEWNEIGH, netlink.DELNEIGH)


class RouteEvents:
    """Links, addresses, neighbours and routes of this network namespace."""

    def __init__(self) -> None:
        self._socket = _open(0, _LINK | _NEIGH | _IPV4_ADDRESS | _IPV4_ROUTE)

    def fileno(self) -> int:
        return self._socket.fileno()

    def touched(self, devices: Devices, subnet_length: int) -> bool:
        """Read what has come; whether any of it concerns *devices* or a route of *subnet_length*."""
        hit = False
        for block in _pending(self._socket):
            # where events were lost, look for yourself
            hit = hit or block is None or _concerns(block, devices, subnet_length)
        return hit


class RuleEvents:
    """Changes of nftables' rules, which are iptables' too where iptables is the nft one."""

    def __init__(self) -> None:
        self._socket = _open(_NETFILTER, 0)
        self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTABLES_GROUP)

    def fileno(self) -> int:
        return self._socket.fileno()

    def touched(self) -> bool:
        """Read what has come; whether there was anything."""
        return bool(list(_pending(self._socket)))


def _open(protocol: int, groups: int) -> socket.socket:
    kinds = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    opened = socket.socket(socket.AF_NETLINK, kinds, protocol)
    opened.bind((0, groups))
    return opened


def _pending(source: socket.socket) -> Iterator[bytes | None]:
    """What waits on *source*; None where the kernel had to drop some."""
    while True:
        try:
            yield source.recv(_BLOCK)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            yield None


def _concerns(block: bytes, devices: Devices, subnet_length: int) -> bool:
    noisy = (devices.vxlan,)  # on the machine's own interface neighbours come and go all day
    offset = 0
    while offset + _HEADER.size < len(block):
        length, kind, _, _, _ = _HEADER.unpack_from(block, offset)
        body = offset + _HEADER.size
        if kind in (netlink.NEWROUTE, netlink.DELROUTE):
            if block[body + 1] == subnet_length and block[body + 4] == _MAIN_TABLE:
                return True
        elif _INDEX.unpack_from(block, body + 4)[0] in (noisy if kind in _NEIGH_KINDS else devices):
            return True
        offset += (length + 3) & ~3
    return False
