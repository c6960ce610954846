"""Readiness: whether the API server of this machine may get requests, asked of itself at its own address."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException, HTTPSConnection

from kubo_sdk_cfrouting.agent.settings import Api

EVERY_SECONDS = 0.5
# A server that hangs takes connections and is silent.
PATIENCE_SECONDS = 2.0
# What went wrong once is asked again, sooner, before it counts.
AGAIN_SECONDS = 0.25
SECOND_PATIENCE_SECONDS = 1.0

_FAILED_CHECK = re.compile(r"^\[-\]([^ ]+)", re.MULTILINE)
SHUTDOWN = "shutdown"


class Asker:
    """By a connection of its own each time, as whoever is sent here will come.

    Its certificate proves the server, ours may prove us where nobody anonymous may ask.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(api.ca)
        self._context.load_cert_chain(api.certificate, api.key)

    def trouble(self, patience: float) -> str:
        """Why the server may get no requests; empty when it may."""
        connection = HTTPSConnection(self._api.host, self._api.port, timeout=patience, context=self._context)
        try:
            with closing(connection):
                connection.request("GET", "/readyz", headers={"Connection": "close"})
                response = connection.getresponse()
                body = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            return f"the API server does not answer: {error or type(error).__name__}"
        if response.status == 200:
            return ""
        failed = _FAILED_CHECK.findall(body)
        return f"the API server is not ready: {', '.join(failed) or f'HTTP {response.status}'}"


class Readiness:
    """Asks over and over, in a thread of its own.  ``trouble`` is empty while the server is ready.

    *changed* is called after every change.
    """

    def __init__(self, asker: Asker, changed: Callable[[], None]) -> None:
        self.trouble = "the API server was not asked yet"
        self._asker = asker
        self._changed = changed
        self._ended = threading.Event()

    def run(self) -> None:
        """Returns after `end`."""
        while not self._ended.is_set():
            began = time.monotonic()
            trouble = self.look()
            if trouble != self.trouble:
                self.trouble = trouble
                self._changed()
            self._ended.wait(max(0.0, began + EVERY_SECONDS - time.monotonic()))

    def look(self) -> str:
        """Ask once, and once more where that went wrong and may not mean anything."""
        trouble = self._asker.trouble(PATIENCE_SECONDS)
        # One that says it shuts down means it; one that was no good before has to prove itself only once.
        if not trouble or self.trouble or SHUTDOWN in trouble:
            return trouble
        self._ended.wait(AGAIN_SECONDS)
        return self._asker.trouble(SECOND_PATIENCE_SECONDS)

    def end(self) -> None:
        self._ended.set()
