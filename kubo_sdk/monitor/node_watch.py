"""NodeWatch: hears from the API at once when a Node is no longer ready or is gone, and has the monitor look then."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from types import TracebackType
from typing import Any

from kubo_sdk.clients.kubernetes import KubernetesClient, Watch
from kubo_sdk.errors import KuboError

log = logging.getLogger(__name__)

NODES = "/api/v1/nodes"
# Real seconds, as sockets go by: between two watches; between two wakings; without a word of the API server, which
# sends a bookmark each minute.
PAUSE = 1.0
LEAST = 0.5
SILENCE = 90.0


class NodeWatch:
    """Watches in a thread of its own as long as the ``with`` lasts.  The loop's own looks are what counts: the watch
    only makes one come sooner, so whatever happens to it is no error.

    *client* gives a way to the API, None while there is none.
    """

    def __init__(
        self, client: Callable[[], KubernetesClient | None], wake: Callable[[], None], *, pause: float = PAUSE
    ) -> None:
        self._client = client
        self._wake = wake
        self._pause = pause
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._ready: dict[str, bool] = {}
        self._woken = 0.0
        self._thread = threading.Thread(target=self._run, name="kubo-node-watch", daemon=True)

    @property
    def nodes(self) -> frozenset[str]:
        """The Nodes it heard of."""
        return frozenset(tuple(self._ready))

    def __enter__(self) -> NodeWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._done.set()
            watch = self._watch
        if watch is not None:
            watch.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self._follow()
            except KuboError as error:
                log.debug("the watch of the Nodes broke off: %s", error)
            except Exception:
                log.exception("the watch of the Nodes broke off")
            self._done.wait(self._pause)

    def _follow(self) -> None:
        client = self._client()
        if client is None:
            return
        with client.watch(NODES, silence=SILENCE) as watch, self._told(watch):
            for kind, node in watch:
                self._heard(kind, node)

    @contextlib.contextmanager
    def _told(self, watch: Watch) -> Iterator[None]:
        """Let `__exit__` know what it has to close; nothing is watched when it was too late."""
        with self._lock:
            if self._done.is_set():
                watch.close()
            self._watch = watch
        try:
            yield
        finally:
            with self._lock:
                self._watch = None

    def _heard(self, kind: str, node: Mapping[str, Any]) -> None:
        name = node.get("metadata", {}).get("name", "")
        if kind == "DELETED":
            flipped = self._ready.pop(name, None) is not None
        elif kind in ("ADDED", "MODIFIED"):
            ready = is_ready(node)
            flipped = self._ready.get(name, ready) is not ready
            self._ready[name] = ready
        else:
            return
        if flipped and monotonic() - self._woken >= LEAST:
            self._woken = monotonic()
            self._wake()


def is_ready(node: Mapping[str, Any]) -> bool:
    """Whether the Node's condition says so."""
    conditions = node.get("status", {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
