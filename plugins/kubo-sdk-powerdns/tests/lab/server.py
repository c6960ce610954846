"""A real PowerDNS on loopback ports, with its database in a directory of its own."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
API_KEY = "the-key-of-the-api"
PATIENCE = 60.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses for TCP nor UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class PdnsServer:
    """``start`` and ``stop`` may alternate; the ports and the database stay.

    ``settings`` go into its configuration; ``prefix`` stands before the command line, such as a program that changes
    what time it is.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None, prefix: Sequence[str] = ()) -> None:
        self.directory = directory
        self.port, self.api_port = free_port(), free_port()
        self.database = directory / "pdns.sqlite3"
        self._settings = dict(settings or {})
        self._prefix = tuple(prefix)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "it is not running"
        return self._process.pid

    def make_database(self) -> None:
        """An empty database in place of whatever was there; only while it is stopped."""
        for name in (self.database, *self.directory.glob(f"{self.database.name}-*")):
            name.unlink(missing_ok=True)
        with sqlite3.connect(self.database) as database:
            database.executescript(SCHEMA.read_text(encoding="utf-8"))
        database.close()

    def start(self) -> PdnsServer:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.database.exists():
            self.make_database()
        (self.directory / "pdns.conf").write_text(self._configuration(), encoding="utf-8")
        with (self.directory / "log").open("ab") as log:
            command = [*self._prefix, "pdns_server", f"--config-dir={self.directory}"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)
        try:
            wait_until(self._answers, what="an answer of pdns_server", timeout=PATIENCE, interval=0.02)
        except Unavailable as error:
            self.stop()
            raise AssertionError(f"{error}: {(self.directory / 'log').read_text(errors='replace')}") from error
        return self

    def _answers(self) -> bool | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError((self.directory / "log").read_text(errors="replace"))
        try:
            for port in (self.port, self.api_port):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return None
        return True

    def stop(self) -> None:
        """Kill it.  What was committed is in the database."""
        if self._process is not None:
            # What stands before the command line ends when its child does, and tidies up after itself.
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
            for pid in children if self._prefix else [self.pid]:
                os.kill(int(pid), signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def _configuration(self) -> str:
        settings = {
            "launch": "gsqlite3",
            "gsqlite3-database": self.database,
            "gsqlite3-pragma-foreign-keys": "yes",
            "gsqlite3-pragma-synchronous": "0",  # it is killed here, but never the machine
            "local-address": "127.0.0.1",
            "local-port": self.port,
            "socket-dir": self.directory,
            "api": "yes",
            "api-key": API_KEY,
            "webserver": "yes",
            "webserver-address": "127.0.0.1",
            "webserver-port": self.api_port,
            "daemon": "no",
            "guardian": "no",
            "disable-syslog": "yes",
            "dnsupdate": "yes",
            "allow-dnsupdate-from": "127.0.0.0/8",
            "allow-axfr-ips": "",
            "security-poll-suffix": "",
            "zone-cache-refresh-interval": "0",
            **self._settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())
