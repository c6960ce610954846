"""A real HAProxy, as the TCP router runs it: mode tcp, default balance, no checks, a new process for each change."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

Table = Mapping[int, tuple[tuple[str, int], ...]]

START_SECONDS = 20.0


class Haproxy:
    """`apply` returns when the new process serves and the old one takes no connections any more."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []
        self._generation = 0

    def apply(self, table: Table) -> None:
        self._generation += 1
        config = self._directory / "haproxy.cfg"
        config.write_text(_config(table, self._socket(self._generation)))
        command = ["haproxy", "-db", "-f", str(config)]
        living = [each for each in self._processes if each.poll() is None]
        if living:
            command += ["-x", str(self._socket(self._generation - 1)), "-sf", *(str(each.pid) for each in living)]
        log = (self._directory / "haproxy.log").open("ab")
        self._processes = [*living, subprocess.Popen(command, stdout=log, stderr=log)]
        self._await(self._socket(self._generation))

    def stop(self) -> None:
        for each in self._processes:
            each.kill()
        for each in self._processes:
            each.wait()
        self._processes = []

    def _socket(self, generation: int) -> Path:
        return self._directory / f"haproxy-{generation}.sock"

    def _await(self, path: Path) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    client.connect(str(path))
                except OSError:
                    if self._processes[-1].poll() is not None:
                        break
                    time.sleep(0.005)
                else:
                    return
        raise RuntimeError((self._directory / "haproxy.log").read_text()[-2000:])


def _config(table: Table, stats: Path) -> str:
    """The router's own template, as far as traffic goes: no ``balance``, no ``check``."""
    head = f"""\
global
  maxconn 4000
  stats socket {stats} mode 600 level admin expose-fd listeners

defaults
  mode tcp
  timeout connect 30s
  timeout client 300s
  timeout server 300s

# HAProxy wants to listen somewhere.
listen alive
  bind unix@{stats.with_suffix(".alive")}
"""
    return head + "".join(_listen(port, backends) for port, backends in sorted(table.items()))


def _listen(port: int, backends: tuple[tuple[str, int], ...]) -> str:
    servers = "".join(f"  server server_{host}_{inner} {host}:{inner}\n" for host, inner in sorted(backends))
    front = f"frontend frontend_{port}\n  bind :{port}\n  default_backend backend_{port}\n"
    return f"\n{front}\nbackend backend_{port}\n{servers}"
