"""Sessions: how many a connection may have at once, and the one that is started ahead of its command."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine

import asyncssh

from kubo_sdk.errors import Unavailable
from kubo_sdk.ssh.exchange import Exchange
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.remote import waiting_command

# sshd allows ten a connection unless told otherwise; somebody else may want to look around.
AT_ONCE = 8
_CLOSING_SECONDS = 5.0


class Sessions:
    """The sessions of one connection.  Lives on the loop."""

    def __init__(self, host: SshHost, connection: asyncssh.SSHClientConnection) -> None:
        self._host = host
        self._connection = connection
        self._limit = AT_ONCE
        self._open = 0
        self._ahead: Exchange | None = None
        self._changed = asyncio.Event()
        self._chores: set[asyncio.Task[None]] = set()

    async def take(self, timeout: float) -> Exchange:
        """A shell that waits for its request.  Raises Unavailable when there is none within *timeout* seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self._take()
        except TimeoutError:
            raise Unavailable(
                f"{self._host.title} opened no session within {timeout:g} s, with {self._open} in use; try again later"
            ) from None

    def leave(self, exchange: Exchange) -> None:
        """Close what `take` gave; its place is free once the machine has closed it, too."""
        exchange.abort()
        self._chore(self._await_end(exchange))

    def look_ahead(self) -> None:
        """Start the shell of the next command, if there is room for one."""
        if self._ahead is None and self._open < self._limit and not self._connection.is_closed():
            self._chore(self._start_ahead())

    async def _take(self) -> Exchange:
        while True:
            if self._ahead is not None:
                exchange, self._ahead = self._ahead, None
                if exchange.waits:
                    return exchange
                self.leave(exchange)
            elif self._open >= self._limit:
                self._changed.clear()
                await self._changed.wait()
            else:
                try:
                    return await self.open_one()
                except asyncssh.ChannelOpenError as error:
                    self._refused(error)

    async def _start_ahead(self) -> None:
        try:
            exchange = await self.open_one()
        except (asyncssh.Error, OSError, Unavailable):
            return  # Whoever needs a session meets the same trouble, and tells it.
        if self._ahead is None:
            self._ahead = exchange
            self._changed.set()
        else:
            self.leave(exchange)

    async def open_one(self) -> Exchange:
        marker = secrets.token_hex(8)
        command = waiting_command(self._host.user, marker)
        self._open += 1
        try:
            _, exchange = await self._connection.create_session(lambda: Exchange(marker), command, encoding=None)
        except BaseException as error:
            self._closed()
            if isinstance(error, asyncssh.DisconnectError | OSError):
                raise Unavailable(f"the SSH connection to {self._host.title} is lost; try again") from error
            raise
        assert isinstance(exchange, Exchange)
        return exchange

    def _refused(self, error: asyncssh.ChannelOpenError) -> None:
        """The machine allows fewer than we thought; with none in use, it allows none."""
        if self._connection.is_closed():
            raise Unavailable(f"the SSH connection to {self._host.title} is lost; try again") from error
        if not self._open:
            raise Unavailable(f"{self._host.title} opens no session: {error.reason}; try again later") from error
        self._limit = self._open

    async def _await_end(self, exchange: Exchange) -> None:
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await exchange.ended.wait()
        except TimeoutError:
            pass
        self._closed()
        self.look_ahead()

    def _closed(self) -> None:
        self._open -= 1
        self._changed.set()

    def _chore(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
