"""Addresses of a fake cloud: a block of loopback that no other cloud on this host has."""

from __future__ import annotations

import random
import socket
from ipaddress import IPv4Address, IPv4Network

from kubo_sdk.errors import HostError

CLAIM_PORT = 9007
PREFIX = 18
ATTEMPTS = 200


class Addresses:
    """A random block below 127.64.0.0/10, held by a socket for as long as it is open.

    A machine never gets the address of another one that was there before, until all have been used.
    """

    def __init__(self) -> None:
        chance = random.SystemRandom()
        for _ in range(ATTEMPTS):
            base = IPv4Address("127.64.0.0") + (chance.randrange(1 << (PREFIX - 10)) << (32 - PREFIX))
            claim = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                claim.bind((str(base + 1), CLAIM_PORT))
            except OSError:
                claim.close()
                continue
            self._claim, self.network = claim, IPv4Network((base, PREFIX))
            self._next = 10
            return
        raise HostError("no free block of loopback addresses was found; end other programs that use the fakes")

    def take(self) -> str:
        """The next address."""
        address = self.network[self._next]
        self._next = self._next + 1 if self._next < self.network.num_addresses - 2 else 10
        return str(address)

    def close(self) -> None:
        self._claim.close()
