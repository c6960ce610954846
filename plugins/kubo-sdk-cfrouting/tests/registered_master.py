"""One master of a test: the agent as machines run it, from its one file, in front of an API server of the test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubo_sdk_cfrouting.bundle import agent_archive

from .api_server import ApiServer
from .standin.site import Site

OWNER = "kubo:test/one"
PORT = 1030
PATIENCE_SECONDS = 60.0


class Master:
    """`start` to `stop`.  ``states``: what the agent told systemd, the last one last."""

    def __init__(self, directory: Path, site: Site, *, name: str = "master/0", **more: Any) -> None:
        self.directory, self.site, self.name = directory, site, name
        self.server = ApiServer(directory)
        self.server.start()
        self.states: list[str] = []
        self._more = more
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(directory / "notify.sock"))
        self._socket.setblocking(False)
        self.process: subprocess.Popen[bytes] | None = None
        self._write()

    def _write(self) -> None:
        (self.directory / "agent.pyz").write_bytes(agent_archive())
        server = self.server
        settings = {
            "cloud_foundry": {
                "routing_api": self.site.api_server.url,
                "uaa": self.site.uaa_server.url,
                "client": "kubo",
                "secret": str(self.site.secret_file),
                "trust": {"ca": str(self.site.ca_file), "certificate": "", "key": ""},
                "timeout": 5.0,
            },
            "group": "default-tcp",
            "port": PORT,
            "ttl": 60,
            "address": "127.0.0.1",
            "owner": OWNER,
            "instance": self.name,
            "api": {
                "host": "127.0.0.1",
                "port": server.port,
                "ca": str(server.ca),
                "certificate": str(server.client),
                "key": str(server.client),
            },
            **self._more,
        }
        (self.directory / "settings.json").write_text(json.dumps(settings))

    def start(self) -> None:
        command = [sys.executable, "-IS", str(self.directory / "agent.pyz"), str(self.directory / "settings.json")]
        env = {**os.environ, "NOTIFY_SOCKET": str(self.directory / "notify.sock")}
        with (self.directory / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=env)

    def stop(self) -> None:
        """As systemd stops it: returns when it is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.server.stop()
        self._socket.close()

    def log(self) -> str:
        return (self.directory / "agent.log").read_text()

    def state(self) -> str:
        """What it told systemd last."""
        while True:
            try:
                told = self._socket.recv(4096).decode()
            except BlockingIOError:
                return self.states[-1] if self.states else ""
            self.states += [line.removeprefix("STATUS=") for line in told.splitlines() if line.startswith("STATUS=")]

    def routes(self) -> list[dict[str, Any]]:
        """Those the routing API has for this master."""
        return [route for route in self.site.api.routes() if route["instance_id"] == f"{OWNER}:{self.name}"]

    def wait(self, probe: Callable[[], object], what: str) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not probe():
            assert time.monotonic() < ends, f"not in time: {what}; state {self.state()!r}, log:\n{self.log()}"
            time.sleep(0.02)

    def wait_registered(self) -> None:
        self.wait(self.routes, "the master is registered")

    def wait_gone(self) -> None:
        self.wait(lambda: not self.routes(), "the master is gone")

    def wait_state(self, text: str) -> None:
        self.wait(lambda: text in self.state(), f"it says {text!r}")
