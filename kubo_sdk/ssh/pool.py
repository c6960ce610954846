"""Pool: the open connections, one for each machine, and at most so many at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kubo_sdk.errors import Unavailable
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.ssh.handshake import open_connection
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.link import Link
from kubo_sdk.ssh.place import Place

# A handshake is the expensive part; more of them at once would only make each of them late.
_HANDSHAKES = 32


class Pool:
    """Lives on the loop.  Jump hosts do not count: they are few, and those behind them need them."""

    def __init__(self, *, connect_timeout: float, max_open: int) -> None:
        self._connect_timeout = connect_timeout
        self._max_open = max_open
        self._places: OrderedDict[SshHost, Place] = OrderedDict()
        self._jumps: dict[SshHost, Place] = {}
        self._handshakes = asyncio.Semaphore(_HANDSHAKES)
        self._left = asyncio.Event()

    async def run(self, host: SshHost, command: Sequence[str], stdin: bytes, timeout: float) -> Outcome:
        """Run *command* on the machine's connection, which is opened when there is none."""
        async with self.link(host, timeout) as link:
            return await link.run(command, stdin, timeout)

    @asynccontextmanager
    async def link(self, host: SshHost, timeout: float) -> AsyncIterator[Link]:
        """The open connection to *host*, which nobody closes for want of room while it is used."""
        place = await self._place(host, timeout)
        place.users += 1
        try:
            yield await place.link()
        finally:
            place.users -= 1
            self._left.set()

    def forget(self, host: SshHost) -> None:
        """Close the connections to *host*, whatever key they were opened with."""
        for known in list(self._places):
            if (known.host, known.port, known.jump) == (host.host, host.port, host.jump):
                self._places.pop(known).close()
        self._left.set()

    def close(self) -> None:
        """Close every connection."""
        for places in (self._places, self._jumps):
            while places:
                places.popitem()[1].close()
        self._left.set()

    async def _place(self, host: SshHost, timeout: float) -> Place:
        """The place of *host*, behind all others in the order in which they are given up."""
        try:
            async with asyncio.timeout(timeout):
                while host not in self._places and len(self._places) >= self._max_open and not self._make_room():
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            raise Unavailable(
                f"all {self._max_open} SSH connections were in use for {timeout:g} s; try again later"
            ) from None
        if host not in self._places:
            self._places[host] = Place(lambda: self._opened(host))
        self._places.move_to_end(host)
        return self._places[host]

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest; False when there is none."""
        for host, place in self._places.items():
            if not place.users:
                self._places.pop(host).close()
                return True
        return False

    async def _opened(self, host: SshHost) -> Link:
        through = (await self._jump(host.jump).link()).connection if host.jump is not None else None
        async with self._handshakes:
            return Link(host, await open_connection(host, through, self._connect_timeout))

    def _jump(self, host: SshHost) -> Place:
        if host not in self._jumps:
            self._jumps[host] = Place(lambda: self._opened(host))
        return self._jumps[host]
