"""Watches a cluster while it is being broken: whether its API answers, and whether what it acknowledged is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.errors import KuboError
from kubo_sdk.ports.credentials import Certificate
from kubo_sdk.ports.ingress import Endpoint

# The administrator's certificate, as it is now: it is exchanged while certificates are rotated.
Admin = Callable[[], Certificate]

PACE_SECONDS = 0.1
PATIENCE_SECONDS = 2.0
MOST_TROUBLES = 10


def client(endpoint: Endpoint, admin: Admin, patience: float = PATIENCE_SECONDS) -> KubernetesClient:
    """A client of its own, so that every request below opens a connection of its own."""
    who = admin()
    return KubernetesClient(
        HttpsClient(
            [(endpoint.host, endpoint.port)],
            ca=who.ca,
            certificate=who.certificate,
            private_key=who.private_key,
            timeout=patience,
        )
    )


class Pacer:
    """Calls *act* every 100 ms in threads of its own until it is stopped, and keeps when it succeeded and failed."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(32, thread_name_prefix="pacer")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.good: list[datetime] = []
        self.bad: list[tuple[datetime, str]] = []
        self.took: list[tuple[datetime, float]] = []

    def __enter__(self) -> Pacer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        number = 0
        started = time.monotonic()
        while not self._stop.is_set():
            self._pool.submit(self._once, number)
            number += 1
            self._stop.wait(max(0.0, started + number * PACE_SECONDS - time.monotonic()))

    def _once(self, number: int) -> None:
        at, began = datetime.now(UTC), time.monotonic()
        try:
            self._act(number)
        except KuboError as error:
            self.bad.append((at, str(error)))
        else:
            self.good.append(at)
            self.took.append((at, time.monotonic() - began))

    def since(self, at: datetime) -> dict[str, Any]:
        """How the calls that began at or after *at* ended; ``troubles`` with the second at which each began."""
        bad = sorted((round((when - at).total_seconds(), 1), why) for when, why in list(self.bad) if when >= at)
        good = sum(when >= at for when in list(self.good))
        slowest = max((seconds for when, seconds in list(self.took) if when >= at), default=0.0)
        return {
            "asked": good + len(bad),
            "answered": good,
            "slowest_seconds": round(slowest, 2),
            "troubles": [{"at": when, "why": why} for when, why in bad[:MOST_TROUBLES]],
        }


def reader(endpoint: Endpoint, admin: Admin, patience: float = PATIENCE_SECONDS) -> Pacer:
    """Reads from the API through its endpoint, each time on a new connection."""

    def read(_number: int) -> None:
        client(endpoint, admin, patience).get("/api/v1/namespaces/default")

    return Pacer(read)


class Writer(Pacer):
    """Writes one small object after the other, and remembers which of them the API acknowledged."""

    def __init__(self, endpoint: Endpoint, admin: Admin, name: str, patience: float = PATIENCE_SECONDS) -> None:
        self._name = name
        self._new = lambda: client(endpoint, admin, patience)
        self.acknowledged: set[str] = set()
        super().__init__(self._write)

    def _write(self, number: int) -> None:
        name = f"{self._name}-{number}"
        self._new().apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {}}
        )
        self.acknowledged.add(name)

    def lost(self) -> set[str]:
        """What was acknowledged and is not there.  Raises Unavailable while the API does not answer."""
        before = set(self.acknowledged)  # What is acknowledged while the list is made need not be in it.
        listed = self._new().list("/api/v1/namespaces/default/configmaps")
        return before - {item["metadata"]["name"] for item in listed}
