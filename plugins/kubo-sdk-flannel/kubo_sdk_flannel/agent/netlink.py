"""rtnetlink: pyroute2's messages over one plain socket.

pyroute2's own sockets bring an event loop and cost more to import than everything else the agent does before its
network is up; its messages are what is hard to write, and they come alone.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, TypeVar

from kubo_sdk_flannel.agent.messages import ifaddrmsg, linkmsg, ndmsg, rtmsg

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
REPLACE, EXCL, CREATE = 0x100, 0x200, 0x400

NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30

_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_SOL_NETLINK = 270
_STRICT_CHECK = 12
_BLOCK = 1 << 18

M = TypeVar("M", ifaddrmsg, linkmsg, ndmsg, rtmsg)


class Netlink:
    """Asks this network namespace's kernel.  Raises OSError with the kernel's errno."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        # with strict checks a dump is filtered by the kernel instead of by us
        self._socket.setsockopt(_SOL_NETLINK, _STRICT_CHECK, 1)
        self._socket.bind((0, 0))
        self._sequence = 0

    def do(self, kind: int, message: Any, flags: int = 0) -> None:
        """One change, acknowledged."""
        for _ in self._answers(kind, message, flags | REQUEST | ACK):
            pass

    def get(self, kind: int, message: M) -> M | None:
        """The first object *message* describes; None when there is none."""
        try:
            found = list(self._decoded(kind, message, REQUEST | ACK))
        except OSError as error:
            if error.errno in (19, 2):  # ENODEV, ENOENT
                return None
            raise
        return found[0] if found else None

    def dump(self, kind: int, message: M) -> list[M]:
        """Every object that matches *message*."""
        return list(self._decoded(kind, message, REQUEST | DUMP))

    def _decoded(self, kind: int, message: M, flags: int) -> Iterator[M]:
        for block, offset in self._answers(kind, message, flags):
            found = type(message)(block, offset=offset)
            found.decode()
            yield found

    def _answers(self, kind: int, message: Any, flags: int) -> Iterator[tuple[bytes, int]]:
        """Where each answer begins, until the kernel says that it is done."""
        self._sequence += 1
        message["header"]["type"] = kind
        message["header"]["flags"] = flags
        message["header"]["sequence_number"] = self._sequence
        message["header"]["pid"] = 0
        message.encode()
        self._socket.send(message.data)
        while True:
            block = self._socket.recv(_BLOCK)
            offset = 0
            while offset < len(block):
                length, answer, _, sequence, _ = _HEADER.unpack_from(block, offset)
                if sequence == self._sequence:
                    if answer in (_ERROR, _DONE):
                        _raise_if_failed(block, offset, length)
                        return
                    yield block, offset
                offset += (length + 3) & ~3


def _raise_if_failed(block: bytes, offset: int, length: int) -> None:
    if length >= _HEADER.size + 4:
        (code,) = struct.unpack_from("=i", block, offset + _HEADER.size)
        if code < 0:
            raise OSError(-code, os.strerror(-code))
