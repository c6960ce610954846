"""A real gate beside an etcd, and what workers need to come to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from .datacentre import PREFIX, etcd_settings
from .etcd_server import EtcdServer
from .namespaces import Place, stop, wait_for, with_capabilities
from .pki import Issuer
from .worker import PYTHON

CLIENT_NAME = "kubo:flannel"


class GateServer:
    """The gate in front of *etcd*; ``issuer`` is the CA of the cluster, which etcd does not know."""

    def __init__(self, place: Place, directory: Path, agent: Path, etcd: EtcdServer, port: int = 2382) -> None:
        pki = directory / "cluster-pki"
        pki.mkdir()
        self.issuer = Issuer(pki, "kubernetes-ca")
        self.port = port
        self.url = f"https://{etcd.address}:{port}"
        self.log = directory / "gate.log"
        self._place = place
        self._command = [*with_capabilities(), PYTHON, "-IS", str(agent), "gate", str(directory / "gate.json")]
        certificate, key = self.issuer.issue("etcd-0", etcd.address, server=True)
        settings = {
            "address": etcd.address,
            "port": port,
            "client_name": CLIENT_NAME,
            "network": "10.200.0.0/16",
            "ca": str(self.issuer.file),
            "certificate": str(certificate),
            "key": str(key),
            "etcd": etcd_settings(etcd, directory, patience=3),
        }
        (directory / "gate.json").write_text(json.dumps(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._place.start(self._command, self.log)
        wait_for(lambda: self.log.exists() and "is open" in self.log.read_text(), f"the gate ({self.log})")

    def stop(self) -> None:
        if self._process:
            stop(self._process)
            self.log.unlink()

    def worker_settings(self, **more: Any) -> dict[str, Any]:
        """What a worker is given: a certificate of the cluster's CA."""
        certificate, key = self.issuer.issue(CLIENT_NAME)
        files = {"ca": str(self.issuer.file), "certificate": str(certificate), "key": str(key)}
        return {"etcd": {"endpoints": [self.url], "prefix": PREFIX, **files, **more}}
