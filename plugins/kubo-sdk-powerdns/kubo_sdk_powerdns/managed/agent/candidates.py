"""Asks everybody who may be the API whether a healthy API server is reached through them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Sequence

from kubo_sdk_powerdns.managed.agent.settings import Api

EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
# A loaded machine may miss one question; one that fails twice in a row is out.
FALL = 2
# In every API server's certificate, whatever its addresses are.
SERVER_NAME = "kubernetes.default.svc"
# As much of the answer as has its status.
_WORDS = len(b"HTTP/1.1 200")
_QUESTION = f"GET /readyz HTTP/1.1\r\nHost: {SERVER_NAME}\r\nConnection: close\r\n\r\n".encode()


def is_ready(address: str, port: int, context: ssl.SSLContext) -> bool:
    """Whether an API server that proves itself says there that it can serve."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    said = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, port), PATIENCE_SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=SERVER_NAME) as asked,
    ):
        asked.sendall(_QUESTION)
        while len(said) < _WORDS and (left := deadline - time.monotonic()) > 0:
            asked.settimeout(left)
            block = asked.recv(4096)
            if not block:
                break
            said += block
    return said[:_WORDS].split(b" ")[1:2] == [b"200"]


def choose(tiers: Sequence[Sequence[str]], ready: dict[str, bool | None]) -> frozenset[str]:
    """The ready ones of the first tier that has any; without any, the whole first tier.

    Empty while somebody who might change that has not been asked yet.
    """
    for tier in tiers:
        if found := frozenset(address for address in tier if ready.get(address)):
            return found if all(ready.get(address) is not None for address in tier) else frozenset()
        if any(ready.get(address) is None for address in tier):
            return frozenset()
    return frozenset(tiers[0])


class Candidates:
    """One thread for each address; those of a later tier are asked only while nobody before them is ready."""

    def __init__(self, ca: str) -> None:
        self._context = ssl.create_default_context(cafile=ca)
        self._context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._api: Api | None = None
        self._lock = threading.Lock()
        self._ready: dict[str, bool | None] = {}
        self._asked: set[str] = set()

    def follow(self, api: Api | None) -> None:
        """From now on ask those of *api*."""
        with self._lock:
            if api != self._api:
                self._api = api
                wanted = {address for tier in api.tiers for address in tier} if api else set()
                self._ready = {address: self._ready.get(address) for address in wanted}
                for address in wanted - self._asked:
                    self._asked.add(address)
                    threading.Thread(target=self._ask, args=(address,), name=address, daemon=True).start()

    def answer(self) -> frozenset[str]:
        """Who is the API now; empty while that is not known yet."""
        with self._lock:
            return choose(self._api.tiers, self._ready) if self._api else frozenset()

    def _ask(self, address: str) -> None:
        failed = 0
        while (port := self._port_of(address)) is not None:
            began = time.monotonic()
            if port:
                ready = is_ready(address, port, self._context)
                failed = 0 if ready else failed + 1
                self._tell(address, ready, failed)
            time.sleep(max(0.0, began + EVERY_SECONDS - time.monotonic()))

    def _port_of(self, address: str) -> int | None:
        """Where to ask now; 0 while there is no need to.  None when nobody wants to know any more."""
        with self._lock:
            if self._api is None or address not in self._ready:
                self._asked.discard(address)
                return None
            for tier in self._api.tiers:
                if address in tier:
                    return self._api.port
                if any(self._ready.get(other) for other in tier):
                    self._ready[address] = None
                    return 0
            return 0

    def _tell(self, address: str, ready: bool, failed: int) -> None:
        with self._lock:
            if address in self._ready and (ready or failed >= FALL):
                self._ready[address] = ready
