"""rtnetlink, as much as bridges, veth pairs, addresses and routes need.  Standard library only: launchers import it.

It takes the built-in modules ``_socket`` and ``_struct``: importing their public faces costs a launcher more time than
all its system calls together.
"""

from __future__ import annotations

import os
from _socket import AF_INET, socket
from _struct import Struct

AF_NETLINK = 16
_SOCK_RAW = 3
_SOCK_CLOEXEC = 0o2000000

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
RTM_NEWROUTE, RTM_GETROUTE = 24, 26
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _ACK, _EXCL, _CREATE, _DUMP = 0x1, 0x4, 0x200, 0x400, 0x300

IFF_UP = 1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 10, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_PEER, _BR_MCAST_SNOOPING, _VXLAN_ID = 1, 2, 1, 23, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_NESTED = 0x8000

_HEADER = Struct("=IHHII")
_ATTRIBUTE = Struct("=HH")
_IFINFO = Struct("=BxHiII")
_IFADDR = Struct("=BBBBI")
_ROUTE = Struct("=BBBBBBBBI")
_U32 = Struct("=I")
_ERROR = Struct("=i")


def attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def nested(kind: int, *values: bytes) -> bytes:
    return attribute(kind | _NESTED, b"".join(values))


def attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += length + (-length % 4)
    return found


class Netlink:
    """A conversation with the network namespace that the calling thread is in when this object is made."""

    def __init__(self) -> None:
        self._socket = socket(AF_NETLINK, _SOCK_RAW | _SOCK_CLOEXEC, 0)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, kind: int, flags: int, body: bytes) -> list[tuple[int, bytes]]:
        """Send one request and return the messages that answer it; OSError when the kernel says no."""
        self._sequence += 1
        length = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(length, kind, _REQUEST | flags, self._sequence, 0) + body)
        answers: list[tuple[int, bytes]] = []
        while True:
            data = self._socket.recv(1 << 17)
            offset = 0
            while offset < len(data):
                size, answer, _, sequence, _ = _HEADER.unpack_from(data, offset)
                content = data[offset + _HEADER.size : offset + size]
                offset += size + (-size % 4)
                if sequence != self._sequence:
                    continue
                if answer == _NLMSG_DONE:
                    return answers
                if answer == _NLMSG_ERROR:
                    code = -_ERROR.unpack_from(content)[0]
                    if code:
                        raise OSError(code, f"network change {kind}: {os.strerror(code)}")
                    return answers
                answers.append((answer, content))

    def _change(self, kind: int, body: bytes, flags: int = 0) -> None:
        self._ask(kind, _ACK | flags, body)

    def link_index(self, name: str) -> int | None:
        """The index of the link *name*, or None."""
        body = _IFINFO.pack(0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, name.encode() + b"\0")
        try:
            answers = self._ask(RTM_GETLINK, _ACK, body)
        except OSError as error:
            if error.errno == 19:  # ENODEV
                return None
            raise
        return int(_IFINFO.unpack_from(answers[0][1])[2])

    def links(self) -> list[str]:
        """The names of all links here."""
        answers = self._ask(RTM_GETLINK, _DUMP, _IFINFO.pack(0, 0, 0, 0, 0))
        found = (attributes(content[_IFINFO.size :])[IFLA_IFNAME] for _, content in answers)
        return [name.rstrip(b"\0").decode() for name in found]

    def get_index(self, name: str) -> int:
        """The index of the link *name*; an OSError names it when there is none."""
        index = self.link_index(name)
        if index is None:
            raise OSError(19, f"there is no network link {name}; prepare the cluster again")
        return index

    def delete_link(self, name: str) -> None:
        """Remove a link; one that is not there is fine."""
        index = self.link_index(name)
        if index is None:
            return
        try:
            self._change(RTM_DELLINK, _IFINFO.pack(0, 0, index, 0, 0))
        except OSError as error:
            # Its other end's namespace may be going at this very moment, and the link with it.
            if error.errno not in (2, 19):
                raise

    def add_link(self, name: str, kind: str, *values: bytes, info: bytes = b"") -> None:
        """Make a link of *kind* and bring it up; FileExistsError when the name is taken."""
        body = _IFINFO.pack(0, 0, 0, IFF_UP, IFF_UP) + attribute(IFLA_IFNAME, name.encode() + b"\0")
        about = attribute(_IFLA_INFO_KIND, kind.encode()) + (nested(_IFLA_INFO_DATA, info) if info else b"")
        self._change(RTM_NEWLINK, body + b"".join(values) + nested(IFLA_LINKINFO, about), _CREATE | _EXCL)

    def add_bridge(self, name: str, mac: bytes) -> None:
        quiet = attribute(_BR_MCAST_SNOOPING, b"\0")
        self.add_link(name, "bridge", attribute(IFLA_ADDRESS, mac), info=quiet)

    def add_vxlan(self, name: str, vni: int) -> None:
        self.add_link(name, "vxlan", info=attribute(_VXLAN_ID, _U32.pack(vni)))

    def add_veth(self, name: str, *, bridge: int, peer: str, peer_mac: bytes, peer_namespace: int) -> None:
        """A pair: *name* here on the bridge (by index), *peer* in the namespace of that file descriptor."""
        other = _IFINFO.pack(0, 0, 0, 0, 0)
        other += attribute(IFLA_IFNAME, peer.encode() + b"\0") + attribute(IFLA_ADDRESS, peer_mac)
        other += attribute(IFLA_NET_NS_FD, _U32.pack(peer_namespace))
        self.add_link(name, "veth", attribute(IFLA_MASTER, _U32.pack(bridge)), info=attribute(_VETH_PEER, other))

    def set_up(self, index: int) -> None:
        self._change(RTM_NEWLINK, _IFINFO.pack(0, 0, index, IFF_UP, IFF_UP))

    def set_down(self, index: int) -> None:
        self._change(RTM_NEWLINK, _IFINFO.pack(0, 0, index, 0, IFF_UP))

    def add_address(self, index: int, address: bytes, prefix: int) -> None:
        """Give a link an IPv4 address; one that it has already is fine."""
        body = _IFADDR.pack(AF_INET, prefix, 0, 0, index)
        body += attribute(_IFA_LOCAL, address) + attribute(_IFA_ADDRESS, address)
        try:
            self._change(RTM_NEWADDR, body, _CREATE | _EXCL)
        except FileExistsError:
            return

    def add_default_route(self, gateway: bytes, index: int) -> None:
        body = _ROUTE.pack(AF_INET, 0, 0, 0, 254, 3, 0, 1, 0)
        body += attribute(_RTA_GATEWAY, gateway) + attribute(_RTA_OIF, _U32.pack(index))
        self._change(RTM_NEWROUTE, body, _CREATE | _EXCL)

    def add_unreachable_route(self, destination: bytes, prefix: int) -> None:
        """Whoever asks for *destination* hears at once that nobody is there."""
        body = _ROUTE.pack(AF_INET, prefix, 0, 0, 254, 3, 0, 7, 0) + attribute(_RTA_DST, destination)
        self._change(RTM_NEWROUTE, body, _CREATE | _EXCL)

    def addresses(self) -> list[tuple[int, bytes, int]]:
        """Every IPv4 address here: link index, address, prefix length."""
        found = []
        for _, content in self._ask(RTM_GETADDR, _DUMP, _IFADDR.pack(AF_INET, 0, 0, 0, 0)):
            _, prefix, _, _, index = _IFADDR.unpack_from(content)
            values = attributes(content[_IFADDR.size :])
            found.append((index, values.get(_IFA_LOCAL) or values[_IFA_ADDRESS], prefix))
        return found

    def routes(self) -> list[tuple[int, bytes, int]]:
        """Every IPv4 route here that has a destination: link index (0 for none), network, prefix length."""
        found = []
        for _, content in self._ask(RTM_GETROUTE, _DUMP, _ROUTE.pack(AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)):
            prefix = content[1]
            values = attributes(content[_ROUTE.size :])
            if prefix and _RTA_DST in values:
                link = values.get(_RTA_OIF)
                found.append((_U32.unpack(link)[0] if link else 0, values[_RTA_DST], prefix))
        return found
