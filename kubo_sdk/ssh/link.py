"""Link: one open connection to one machine, and the commands on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncssh

from kubo_sdk.errors import AuthError, Unavailable
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.ssh.exchange import Exchange
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.remote import request
from kubo_sdk.ssh.sessions import Sessions


class Link:
    """Lives on the loop."""

    def __init__(self, host: SshHost, connection: asyncssh.SSHClientConnection) -> None:
        self.host = host
        self.connection = connection
        self._sessions = Sessions(host, connection)

    @property
    def is_open(self) -> bool:
        return not self.connection.is_closed()

    async def run(self, command: Sequence[str], stdin: bytes, timeout: float) -> Outcome:
        """Run *command*; its seconds count from when there is a session for it."""
        exchange = await self._sessions.take(timeout)
        try:
            async with asyncio.timeout(timeout):
                await exchange.perform(request(command, len(stdin), timeout), stdin, self._sessions.look_ahead)
        except TimeoutError:
            raise Unavailable(
                f"{command[0]!r} on {self.host.title} did not end within {timeout:g} s and was killed; "
                "give it more time or look at the machine"
            ) from None
        finally:
            self._sessions.leave(exchange)
        return exchange.outcome() or self._unanswered(exchange, command[0])

    def close(self) -> None:
        """End the connection; what runs on it is killed on the machine and raises Unavailable here."""
        self.connection.abort()

    def _unanswered(self, exchange: Exchange, program: str) -> Outcome:
        where = self.host.title
        if not self.is_open or exchange.lost is not None:
            raise Unavailable(f"the SSH connection to {where} was lost while {program!r} ran; try again")
        if exchange.begun:
            raise Unavailable(f"{program!r} on {where} was killed with its shell ({exchange.signal}); try again")
        raise AuthError(_not_root(self.host, exchange))


def _not_root(host: SshHost, exchange: Exchange) -> str:
    remedy = "look at its login shell" if host.user == "root" else "allow it sudo without a password"
    return f"user {host.user!r} may enter {host.title} but run nothing as root ({exchange.complaint()}); {remedy}"
