"""Serves the backend on a socket, to as many connections as pdns_server makes.  One thread."""

from __future__ import annotations

import os
import selectors
import socket
from pathlib import Path

from kubo_sdk_powerdns.cluster.agent.backend import Backend, NotReadyError

BLOCK = 1 << 16
BACKLOG = 64


class Server:
    """Takes the place of whatever is at *path*."""

    def __init__(self, path: str, backend: Backend) -> None:
        self._backend = backend
        self._selector = selectors.DefaultSelector()
        self._pieces: dict[socket.socket, bytes] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh = Path(f"{path}.{os.getpid()}")
        self._listener.bind(str(fresh))
        self._listener.listen(BACKLOG)
        self._listener.setblocking(False)
        # Until this moment the one before answers.
        fresh.replace(path)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Never returns."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self._pieces[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        """Answer every whole line.  A connection that asks what cannot be answered is closed."""
        try:
            block = connection.recv(BLOCK)
            *lines, rest = (self._pieces[connection] + block).split(b"\n")
            for line in lines:
                if line.strip():
                    connection.sendall(self._backend.answer(line))
            self._pieces[connection] = rest
        except (OSError, ValueError, KeyError, TypeError, NotReadyError):
            block = b""
        if not block:
            self._selector.unregister(connection)
            del self._pieces[connection]
            connection.close()
