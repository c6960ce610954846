"""The hub all workers hang on, with the servers in it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from .etcd_server import OVERLAY_PASSWORD, OVERLAY_USER, EtcdServer
from .namespaces import Namespace
from .pki import Issuer
from .worker import Worker

PREFIX = "/coreos.com/network"
HUB = "10.99.0.1"

_numbers = itertools.count()


class DataCentre:
    """One bridge, one etcd, any number of workers; close it in any case."""

    def __init__(self, directory: Path, agent: Path) -> None:
        self.directory = directory
        self.tag = f"kf{os.getpid()}{next(_numbers)}"
        self._agent = agent
        self.workers: list[Worker] = []
        self.hub = Namespace(f"{self.tag}hub")
        try:
            self.hub.ip("link", "add", "br0", "type", "bridge")
            self.hub.ip("addr", "add", f"{HUB}/16", "dev", "br0")
            self.hub.ip("link", "set", "br0", "up")
            pki = directory / "pki"
            pki.mkdir()
            self.etcd = EtcdServer(self.hub, directory, HUB, Issuer(pki, "etcd"))
        except BaseException:
            self.hub.close()
            raise

    def add_worker(self, *, settings: dict[str, Any] | None = None) -> Worker:
        """A worker on the bridge, its agent not yet started."""
        number = len(self.workers)
        space = Namespace(f"{self.tag}w{number}")
        address = f"10.99.1.{number + 1}"
        worker = Worker(space, address, self.directory / space.name, self._agent)
        self.workers.append(worker)
        self.hub.ip("link", "add", f"w{number}", "type", "veth", "peer", "name", "eth0", "netns", space.name)
        self.hub.ip("link", "set", f"w{number}", "master", "br0", "up")
        space.ip("addr", "add", f"{address}/16", "dev", "eth0")
        space.ip("link", "set", "eth0", "up")
        worker.configure({"etcd": self.etcd_settings(worker) | (settings or {})})
        return worker

    def etcd_settings(self, worker: Worker) -> dict[str, Any]:
        """What a worker is given: a certificate of its own and the overlay's password.

        The certificate has no common name: etcd's JSON gateway refuses every client that shows one.
        """
        certificate, key = self.etcd.issuer.issue("", organization="kubo:overlay")
        login = worker.files / "login.json"
        login.write_text(f'{{"username": "{OVERLAY_USER}", "password": "{OVERLAY_PASSWORD}"}}')
        return {
            "endpoints": [self.etcd.url],
            "prefix": PREFIX,
            "ca": str(self.etcd.issuer.file),
            "certificate": str(certificate),
            "key": str(key),
            "login": str(login),
        }

    def remove_workers(self) -> None:
        for worker in self.workers:
            worker.close()
        self.workers = []

    def close(self) -> None:
        self.remove_workers()
        self.hub.close()
