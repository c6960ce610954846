"""Exchange: one command on one channel, from the shell that waits for it to its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncssh
from asyncssh.constants import EXTENDED_DATA_STDERR

from kubo_sdk.ports.shell import Outcome
from kubo_sdk.ssh.remote import COMPLETE

_PIECE = 1 << 18
_NOISE = 1 << 16


class Stream:
    """What arrives on one stream behind the marker; what a login printed before it is put aside."""

    def __init__(self, marker: bytes) -> None:
        self._marker = marker
        self._pieces: list[bytes] = []
        self.noise = b""
        self.begun = False

    def feed(self, data: bytes) -> None:
        if self.begun:
            self._pieces.append(data)
            return
        self.noise += data
        before, found, after = self.noise.partition(self._marker)
        if found:
            self.begun, self.noise = True, b""
            self._pieces.append(after)
        else:
            self.noise = before[-_NOISE:]

    def content(self) -> bytes:
        return b"".join(self._pieces)


class Exchange(asyncssh.SSHClientSession[bytes]):
    """Lives on the loop.  ``ended`` is set when the channel is closed, whoever closed it."""

    def __init__(self, marker: str) -> None:
        self.stdout = Stream(marker.encode())
        self.stderr = Stream(marker.encode())
        self.ended = asyncio.Event()
        self.exit_code: int | None = None
        self.signal: str | None = None
        self.lost: Exception | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None

    async def perform(self, request: bytes, stdin: bytes, sent: Callable[[], None]) -> None:
        """Send everything, then wait for the end.  *sent* is called when the machine has all that it needs."""
        try:
            await self._send(request + stdin + COMPLETE if len(stdin) < _PIECE else request)
            if len(stdin) >= _PIECE:
                view = memoryview(stdin)
                for start in range(0, len(stdin), _PIECE):
                    await self._send(bytes(view[start : start + _PIECE]))
                await self._send(COMPLETE)
        except BrokenPipeError:
            pass  # The command has ended without reading all of it, as it may.
        sent()
        await self.ended.wait()

    @property
    def waits(self) -> bool:
        """Whether the shell can still be given its request."""
        return not self.ended.is_set() and self.exit_code is None

    @property
    def begun(self) -> bool:
        """Whether the shell has said that it is there."""
        return self.stdout.begun

    def outcome(self) -> Outcome | None:
        """What the command left behind; None when it was not the command that ended."""
        if self.exit_code is None or not self.begun:
            return None
        return Outcome(exit_code=self.exit_code, stdout=self.stdout.content(), stderr=self.stderr.content())

    def complaint(self) -> str:
        """The last line the machine said instead of waiting for a command."""
        said = self.stderr.noise + b"\n" + self.stdout.noise + b"\n" + self.stderr.content()
        lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it says nothing"

    def abort(self) -> None:
        """Close the channel at once; the keeper on the machine then kills what still runs."""
        if self._channel is not None and not self.ended.is_set():
            self._channel.abort()

    async def _send(self, data: bytes) -> None:
        if not self._writable.is_set():
            writable = asyncio.ensure_future(self._writable.wait())
            ended = asyncio.ensure_future(self.ended.wait())
            try:
                await asyncio.wait((writable, ended), return_when=asyncio.FIRST_COMPLETED)
            finally:
                writable.cancel()
                ended.cancel()
        if self._channel is None or self.ended.is_set():
            raise BrokenPipeError
        self._channel.write(data)

    # What asyncssh calls.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        (self.stderr if datatype == EXTENDED_DATA_STDERR else self.stdout).feed(data)

    def exit_status_received(self, status: int) -> None:
        self.exit_code = status

    def exit_signal_received(self, signal: str, *_: object) -> None:
        self.signal = signal

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc
        self._writable.set()
        self.ended.set()
