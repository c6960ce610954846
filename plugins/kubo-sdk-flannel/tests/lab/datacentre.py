"""The hub all workers hang on."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

from .etcd_server import OVERLAY_PASSWORD, OVERLAY_USER, EtcdServer
from .namespaces import Namespace
from .worker import Worker

PREFIX = "/coreos.com/network"
HUB = "10.99.0.1"

_numbers = itertools.count()


class DataCentre:
    """One bridge and any number of workers; close it in any case."""

    def __init__(self, directory: Path, agent: Path) -> None:
        self.directory = directory
        self.tag = f"kf{os.getpid()}-{next(_numbers)}"
        self.workers: list[Worker] = []
        self._agent = agent
        self._made = 0
        self.hub = Namespace(f"{self.tag}-hub")
        try:
            # with a MAC of its own, or it would take another one whenever a worker joins
            self.hub.ip("link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge")
            self.hub.ip("addr", "add", f"{HUB}/16", "dev", "br0")
            self.hub.ip("link", "set", "br0", "up")
        except BaseException:
            self.hub.close()
            raise

    def add_worker(self, settings: dict[str, Any]) -> Worker:
        """A worker on the bridge with *settings* of its own, its agent not yet started."""
        self._made += 1
        space = Namespace(f"{self.tag}-w{self._made}")
        address = f"10.99.1.{self._made}"
        worker = Worker(space, address, self.directory / space.name, self._agent)
        self.workers.append(worker)
        port = f"w{self._made}"
        self.hub.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space.name)
        self.hub.ip("link", "set", port, "master", "br0", "up")
        space.ip("addr", "add", f"{address}/16", "dev", "eth0")
        space.ip("link", "set", "eth0", "up")
        worker.configure(settings)
        return worker

    def remove_workers(self) -> None:
        while self.workers:
            self.workers.pop().close()

    def close(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self.hub.close)
            self.remove_workers()


def etcd_settings(server: EtcdServer, directory: Path, **more: Any) -> dict[str, Any]:
    """What a gate, or an agent without one, is given to talk to etcd itself.

    The certificate has no common name: etcd's JSON gateway refuses every client that shows one.
    """
    certificate, key = server.issuer.issue("", organization="kubo:overlay")
    login = directory / "login.json"
    login.write_text(json.dumps({"username": OVERLAY_USER, "password": OVERLAY_PASSWORD}))
    files = {"ca": server.issuer.file, "certificate": certificate, "key": key, "login": login}
    settings: dict[str, Any] = {name: str(path) for name, path in files.items()}
    return {"endpoints": [server.url], "prefix": PREFIX, **settings, **more}
