"""A command on the caller's own terminal, or on its standard streams where that is none."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal as signals
import sys
import termios
import tty
from collections.abc import Iterator, Sequence

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

from kubo_sdk.errors import Unavailable
from kubo_sdk.ssh.host import SshHost
from kubo_sdk.ssh.loop import EventLoop
from kubo_sdk.ssh.pool import Pool
from kubo_sdk.ssh.remote import terminal_command

_PIECE = 1 << 15
# How often it is seen that the terminal has another size or that the command has ended.
_GLANCE_SECONDS = 0.1
_OPENING_SECONDS = 60.0


def interact(loop: EventLoop, host: SshHost, command: Sequence[str]) -> int:
    """Run *command* on *host* and return its exit code.

    Keys go to the machine as they are pressed, those that interrupt too.  Raises what `SshShell.run` raises.
    """
    is_terminal = os.isatty(sys.stdin.fileno()) and os.isatty(sys.stdout.fileno())
    session = loop.call(lambda pool: _opened(pool, host, command, is_terminal))
    try:
        with _raw() if is_terminal else contextlib.nullcontext():
            _carry_input(loop, session, is_terminal)
    finally:
        loop.call(lambda _: session.close())
    if session.exit_code is None:
        raise Unavailable(f"the SSH connection to {host.title} was lost while {command[0]!r} ran; try again")
    return session.exit_code


class Session(asyncssh.SSHClientSession[bytes]):
    """What the machine writes goes to our own streams at once.  Lives on the loop."""

    def __init__(self) -> None:
        self.channel: asyncssh.SSHClientChannel[bytes]
        self.exit_code: int | None = None
        self.ended = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def send(self, data: bytes) -> None:
        """Hand on what was typed; nothing is its end."""
        await self._writable.wait()
        if self.ended.is_set():
            return
        with contextlib.suppress(BrokenPipeError):
            if data:
                self.channel.write(data)
            else:
                self.channel.write_eof()

    async def resize(self, size: os.terminal_size) -> None:
        self.channel.change_terminal_size(size.columns, size.lines)

    async def close(self) -> None:
        self.channel.close()

    # What asyncssh calls.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        _write((sys.stderr if datatype == EXTENDED_DATA_STDERR else sys.stdout).fileno(), data)

    def exit_status_received(self, status: int) -> None:
        self.exit_code = status

    def exit_signal_received(self, signal: str, *_: object) -> None:
        self.exit_code = 128 + signals.Signals[f"SIG{signal}"]

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, *_: object) -> None:
        self._writable.set()
        self.ended.set()


async def _opened(pool: Pool, host: SshHost, command: Sequence[str], is_terminal: bool) -> Session:
    term = os.environ.get("TERM", "dumb") if is_terminal else None
    line = terminal_command(host.user, command, term)
    async with pool.link(host, _OPENING_SECONDS) as link:
        try:
            if term is not None:
                size = os.get_terminal_size(sys.stdin.fileno())
                _, session = await link.connection.create_session(
                    Session, line, encoding=None, term_type=term, term_size=(size.columns, size.lines)
                )
            else:
                _, session = await link.connection.create_session(Session, line, encoding=None)
        except (asyncssh.Error, OSError) as error:
            raise Unavailable(f"{host.title} opens no session: {error}; try again") from error
    assert isinstance(session, Session)
    return session


def _carry_input(loop: EventLoop, session: Session, is_terminal: bool) -> None:
    """Hand on what is typed until the command ends."""
    source = sys.stdin.fileno()
    size = os.get_terminal_size(source) if is_terminal else None
    listening = [source]
    while not session.ended.is_set():
        ready, _, _ = select.select(listening, [], [], _GLANCE_SECONDS)
        if ready:
            data = os.read(source, _PIECE)
            loop.call(lambda _, data=data: session.send(data))  # type: ignore[misc]
            if not data:
                listening = []
        if size is not None and size != (now := os.get_terminal_size(source)):
            size = now
            loop.call(lambda _, now=now: session.resize(now))  # type: ignore[misc]


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    """The terminal hands on every key as it is, and is as before afterwards."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
