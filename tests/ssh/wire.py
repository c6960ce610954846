"""Wire: a TCP connection that can be made to carry nothing more once an answer has come."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

QUIET_SECONDS = 0.3


class Wire:
    """Listens on a port of its own and hands everything on to *target*.

    After `one_way`, whatever the caller sends once the machine's answer has begun to arrive is kept back: what gets
    through is exactly what takes one round trip.  After `let_through` so many bytes still get to the machine, after
    `hold_answers` none gets back; `cut` then breaks the connections, and those opened later are whole again.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._quiet = threading.Event()
        self._lock = threading.Lock()
        self._armed = self._shut = self._mute = False
        self._left: int | None = None
        self.kept_back = 0
        self._opened: list[socket.socket] = [self._server]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in self._opened:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        for thread in self._threads:
            thread.join(10)

    def one_way(self) -> None:
        """From the machine's next answer on, nothing more gets to it."""
        with self._lock:
            self._armed = True

    def let_through(self, count: int) -> None:
        """*count* bytes more get to the machine."""
        with self._lock:
            self._left = count

    def hold_answers(self) -> None:
        """Nothing gets back to the caller any more."""
        with self._lock:
            self._mute = True

    def cut(self) -> None:
        """Break every connection; both ends are told."""
        with self._lock:
            broken, self._opened = self._opened[1:], self._opened[:1]
            self._armed = self._shut = self._mute = False
            self._left = None
        for opened in broken:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._target)
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._opened += [near, far]
                for work in (self._there, self._back):
                    thread = threading.Thread(target=work, args=(near, far), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while sent := near.recv(1 << 16):
                self._quiet.clear()
                with self._lock:
                    passing = 0 if self._shut else len(sent) if self._left is None else min(self._left, len(sent))
                    if self._left is not None:
                        self._left -= passing
                    self.kept_back += len(sent) - passing
                    far.sendall(sent[:passing])
            far.shutdown(socket.SHUT_WR)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := far.recv(1 << 16):
                if self._armed and not self._shut:
                    self._await_quiet()
                    with self._lock:
                        self._shut = True
                if not self._mute:
                    near.sendall(answer)
            near.shutdown(socket.SHUT_WR)

    def _await_quiet(self) -> None:
        """Until the caller, who has seen no answer yet, has sent all that it sends without one."""
        self._quiet.set()
        waiter = threading.Event()
        while True:
            waiter.wait(QUIET_SECONDS)
            if self._quiet.is_set():
                return
            self._quiet.set()
