"""A worker's PowerDNS a second time, at another address, with a zone in a database instead of the agent."""

from __future__ import annotations

import json
import subprocess
import time

ZONE = "static.example"
SERVER = "127.0.0.1:10054"
READY_SECONDS = 30.0

# Runs on the worker.  The settings are those of the cluster DNS, but for the backend and for where everything is.
PREPARE = """
import json, pathlib, sqlite3, sys
address, server, zone, count = json.load(sys.stdin)
home, there = pathlib.Path("/run/static-zone"), pathlib.Path("/etc/kubo/cluster-dns")
home.mkdir(exist_ok=True)
base = sqlite3.connect(home / "zone.sqlite3")
base.executescript(pathlib.Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql").read_text())
base.execute("insert into domains (id, name, type) values (1, ?, 'NATIVE')", (zone,))
rows = [(zone, "SOA", f"ns.{zone} hostmaster.{zone} 1 7200 1800 86400 5"), (zone, "NS", f"ns.{zone}")]
rows += [
    (f"10-{n >> 16 & 255}-{n >> 8 & 255}-{n & 255}.{zone}", "A", f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
    for n in range(count)
]
base.executemany(
    "insert into records (domain_id, name, type, content, ttl, disabled, auth) values (1, ?, ?, ?, 5, 0, 1)", rows
)
base.commit()
own, port = server.split(":")
lines = (there / "pdns.conf").read_text().splitlines()
kept = [line for line in lines if not line.startswith(("launch", "remote-", "local-", "socket-dir", "#"))]
kept += ["launch=gsqlite3", f"gsqlite3-database={home}/zone.sqlite3", f"local-address={own}", f"local-port={port}"]
(home / "pdns.conf").write_text("\\n".join([*kept, f"socket-dir={home}", ""]))
(home / "forwards").write_text(f"{zone}={server}\\n.={server}\\n")
lines = (there / "recursor.conf").read_text().splitlines()
kept = [line for line in lines if not line.startswith(("local-address", "forward-zones-file", "socket-dir", "#"))]
kept += [f"local-address={address}", f"forward-zones-file={home}/forwards", f"socket-dir={home}"]
(home / "recursor.conf").write_text("\\n".join([*kept, ""]))
"""


class StaticZone:
    """Runs on the machine that *enter* leads to, while it is used in a ``with``; *count* names exist in `zone`."""

    zone = ZONE

    def __init__(self, enter: list[str], address: str, count: int) -> None:
        self._enter = enter
        self._address = address
        self._count = count
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> StaticZone:
        told = json.dumps([self._address, SERVER, ZONE, self._count]).encode()
        subprocess.run([*self._enter, "/usr/bin/python3", "-c", PREPARE], input=told, check=True)
        own = ("ip", "address", "replace", f"{self._address}/32", "dev", "lo", "scope", "host")
        subprocess.run([*self._enter, *own], check=True)
        for program in ("pdns_server", "pdns_recursor"):
            command = [*self._enter, f"/usr/sbin/{program}", "--config-dir=/run/static-zone"]
            self._running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.terminate()
            process.wait(READY_SECONDS)

    def _wait(self) -> None:
        """Until both have opened their control sockets."""
        names = ("pdns.controlsocket", "pdns_recursor.controlsocket")
        test = " && ".join(f"test -S /run/static-zone/{name}" for name in names)
        ends = time.monotonic() + READY_SECONDS
        while subprocess.run([*self._enter, "sh", "-c", test], check=False).returncode != 0:
            if time.monotonic() > ends or any(process.poll() is not None for process in self._running):
                raise TimeoutError("the static zone is not served")
            time.sleep(0.1)
