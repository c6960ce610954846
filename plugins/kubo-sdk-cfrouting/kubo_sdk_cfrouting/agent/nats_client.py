"""NatsClient: a connection to one of several servers that comes back, and a listener that says what to publish."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from kubo_sdk_cfrouting.agent import nats_protocol as protocol
from kubo_sdk_cfrouting.agent.nats_protocol import Message, ProtocolError, Told
from kubo_sdk_cfrouting.agent.nats_session import Login, NatsError, Server, Session
from kubo_sdk_cfrouting.agent.trouble import Trouble, say

TICK_SECONDS = 0.2
PING_SECONDS = 15.0
# Without an answer for so long the server counts as gone.
SILENCE_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class Listener(Protocol):
    """Called in the client's thread, and must not block."""

    @property
    def subjects(self) -> Sequence[str]:
        """What it wants to hear."""
        ...

    def opened(self) -> Iterable[Message]:
        """There is a connection, perhaps to another server; what to publish first."""
        ...

    def closed(self) -> None:
        """The connection is gone."""
        ...

    def heard(self, message: Message) -> None: ...

    def due(self) -> Iterable[Message]:
        """What to publish now; asked several times a second."""
        ...


class NatsClient:
    """``login`` is asked before each connection, so that files may change; OSError or ValueError of it is told."""

    def __init__(self, servers: Sequence[Server], login: Callable[[], Login], listener: Listener) -> None:
        # Not every master begins with the same server.
        self._servers = random.sample(list(servers), len(servers))
        self._login = login
        self._listener = listener
        self._trouble = Trouble("talk to NATS")
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._closed = threading.Event()
        self._flushed = threading.Condition()
        self._flushes = 0  # asked for
        self._pongs_due: list[int] = []
        self._done = 0
        self.connected = ""

    @property
    def trouble(self) -> str:
        return self._trouble.told

    def wake(self) -> None:
        """There is something to publish."""
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def flush(self, seconds: float) -> bool:
        """Whether a server took everything that was due before."""
        with self._flushed:
            self._flushes += 1
            mine = self._flushes
            self.wake()
            return self._flushed.wait_for(lambda: self._done >= mine, seconds)

    def close(self) -> None:
        """Ends `run`."""
        self._closed.set()
        self.wake()

    def run(self) -> None:
        """Until `close`."""
        pause = FIRST_PAUSE
        while not self._closed.is_set():
            began = time.monotonic()
            server = self._servers[0]
            try:
                self._converse(server)
            except (NatsError, ProtocolError) as error:
                self._trouble.begins(str(error))
            except (OSError, ValueError) as error:
                self._trouble.begins(f"a file for NATS cannot be used: {error}")
            self.connected = ""
            self._servers = [*self._servers[1:], server]
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            self._closed.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)

    def _converse(self, server: Server) -> None:
        session = Session(server, self._login(), self._wake)
        try:
            opened = b"".join(
                protocol.subscribe(subject, number) for number, subject in enumerate(self._listener.subjects, 1)
            )
            session.send(opened + _published(self._listener.opened()))
            self.connected = str(server)
            self._trouble.ends()
            self._talk(session)
        finally:
            session.close()
            self._pongs_due.clear()
            self._listener.closed()

    def _talk(self, session: Session) -> None:
        heard = pinged = time.monotonic()
        while not self._closed.is_set():
            flush = self._flushes
            data = _published(self._listener.due())
            if flush > max(self._done, *self._pongs_due, 0):
                self._pongs_due.append(flush)
                data += protocol.PING
            now = time.monotonic()
            if now - pinged > PING_SECONDS:
                pinged = now
                self._pongs_due.append(0)
                data += protocol.PING
            if data:
                session.send(data)
            for told in session.wait(TICK_SECONDS):
                heard = time.monotonic()
                self._take(session, told)
            if time.monotonic() - heard > PING_SECONDS + SILENCE_SECONDS:
                raise NatsError("the NATS server went silent")

    def _take(self, session: Session, told: Message | Told) -> None:
        if isinstance(told, Message):
            self._listener.heard(told)
        elif told.word == "PING":
            session.send(protocol.PONG)
        elif told.word == "PONG":
            self._ponged(self._pongs_due.pop(0) if self._pongs_due else 0)
        elif told.word == "-ERR":
            if "permissions violation" not in told.text.lower():
                raise session.refusal(told.text)
            say(str(session.refusal(told.text)))
        elif told.word == "INFO" and told.info().get("ldm"):
            raise NatsError("the NATS server is about to stop")

    def _ponged(self, flush: int) -> None:
        with self._flushed:
            self._done = max(self._done, flush)
            self._flushed.notify_all()


def _published(messages: Iterable[Message]) -> bytes:
    return b"".join(protocol.publish(each.subject, each.payload, each.reply) for each in messages)
