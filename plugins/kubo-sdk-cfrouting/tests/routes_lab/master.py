"""A master's agent of service routes, as a process of its own that has nothing but the agent's file and Python."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from kubo_sdk_cfrouting.bundle import agent_archive

from ..standin.site import Site
from .api_server import HOST, ApiServer
from .nats_server import PASSWORD, USER, NatsServer
from .process import start, stop, wait_for

OWNER = "kubo:lab/prod"
DOMAIN = "apps.test"
API_PORT = 8443
# As short as a loaded machine bears.
TERMS = {"duration": 6, "deadline": 4.0, "retry": 0.25}


class Master:
    """``status`` is what it told systemd last."""

    def __init__(self, directory: Path, name: str, settings: dict[str, Any]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self.status = ""
        self.statuses: list[str] = []
        self.ready = False
        self._archive = directory / "agent.pyz"
        if not self._archive.exists():
            self._archive.write_bytes(agent_archive())
        self._settings = directory / f"{name}.json"
        self._settings.write_text(json.dumps(settings))
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0kubo-routes-{os.getpid()}-{id(self)}")
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self) -> None:
        self.ready, self.status = False, ""
        address = "@" + self._socket.getsockname()[1:].decode()
        env = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": address}
        python = os.environ.get("KUBO_TEST_PYTHON", "/usr/bin/python3")
        self._process = start([python, "-IS", str(self._archive), "routes", str(self._settings)], self.log, env)
        wait_for(lambda: self.ready or self._process.poll() is not None, "the agent's start")  # type: ignore[union-attr]
        assert self.ready, self.log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        return stop(self._process, how)

    def signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    def suspend(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """Its journal."""
        return self.log.read_text()

    def close(self) -> None:
        stop(self._process)
        self._socket.close()

    def wait_for_status(self, text: str) -> None:
        wait_for(lambda: text in self.status, f"{text!r} in the status {self.status!r} of {self.log}")

    def _listen(self) -> None:
        while True:
            try:
                told = self._socket.recv(1 << 16).decode()
            except OSError:
                return
            for line in told.splitlines():
                if line == "READY=1":
                    self.ready = True
                elif line.startswith("STATUS="):
                    self.status = line.removeprefix("STATUS=")
                    self.statuses.append(self.status)


def settings_of(name: str, api: ApiServer, site: Site, nats: list[NatsServer], **more: Any) -> dict[str, Any]:
    """What the director writes for the master *name*, but in less of a hurry to be patient."""
    files = api.agent_files()
    services: dict[str, Any] = {"terms": TERMS, "listen": 1.0, "renew": 1.0, "successor": 3.0}
    if nats:
        password = site.directory / "nats-password"
        password.write_text(f"{PASSWORD}\n")
        shown = nats[0].files
        services["domain"] = DOMAIN
        services["nats"] = {
            "servers": [list(server.address) for server in nats],
            "username": USER,
            "password": str(password),
            "trust": {} if shown is None else shown._asdict(),
        }
    return {
        "cloud_foundry": {
            "routing_api": site.api_server.url,
            "uaa": site.uaa_server.url,
            "client": "kubo",
            "secret": str(site.secret_file),
            "trust": {"ca": str(site.ca_file), "certificate": "", "key": ""},
            "timeout": 10.0,
        },
        "group": "default-tcp",
        "port": API_PORT,
        "ttl": 30,
        "address": HOST,
        "owner": OWNER,
        "instance": name,
        "api": {"host": HOST, "port": api.port, "ca": files.ca, "certificate": files.certificate, "key": files.key},
        "services": {**services, **more},
    }
