"""Balancers: one real HAProxy each, with an address of its own in the box's network namespace."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from attrs import frozen

from kubo_sdk.engine.retry import wait_until

_SECONDS = 60


@frozen(kw_only=True)
class Check:
    """A health check as ELB has it: ``target`` like ``TCP:8443`` or ``HTTPS:8443/readyz``, times in seconds."""

    target: str
    interval: int
    timeout: int
    unhealthy: int
    healthy: int


@frozen(kw_only=True)
class Balancer:
    """``listeners``: (port of the balancer, port of the members); ``members``: their addresses by instance."""

    name: str
    address: str
    listeners: tuple[tuple[int, int], ...]
    members: tuple[tuple[str, str], ...]
    check: Check | None = None
    idle_seconds: int = 60


class Balancers:
    """Files of each lie below *home*."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[str, tuple[Balancer, subprocess.Popen[bytes]]] = {}
        # HAProxy is to end with its parent, which for the kernel is the thread that started it: this one stays.
        self._parent = ThreadPoolExecutor(max_workers=1)
        home.mkdir(parents=True, exist_ok=True)

    def follow(self, wanted: dict[str, Balancer]) -> None:
        for name, (there, _) in list(self._running.items()):
            if name not in wanted or wanted[name].address != there.address:
                self._end(name)
        for name, balancer in wanted.items():
            if name not in self._running:
                self._start(balancer)
            elif self._running[name][0] != balancer:
                self._reload(balancer)

    def _start(self, balancer: Balancer) -> None:
        _ip("address", "replace", f"{balancer.address}/32", "dev", "lo")
        path = self._write(balancer)
        command = ["setpriv", "--pdeathsig", "TERM", "haproxy", "-W", "-db", "-f", str(path)]
        with (self._home / f"{balancer.name}.log").open("ab") as log:
            process = self._parent.submit(
                subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            ).result()
        self._running[balancer.name] = (balancer, process)
        wait_until(lambda: _listens(balancer) or None, what=f"the balancer {balancer.name}", timeout=_SECONDS)

    def _reload(self, balancer: Balancer) -> None:
        """New connections go to the new members; those there are stay, as they do at an ELB."""
        self._write(balancer)
        process = self._running[balancer.name][1]
        # Until it has a handler for the signal, as for a moment after its start, the signal would end it.
        wait_until(
            lambda: _catches(process.pid, signal.SIGUSR2) or None,
            what=f"the start of {balancer.name}",
            timeout=_SECONDS,
        )
        process.send_signal(signal.SIGUSR2)
        self._running[balancer.name] = (balancer, process)

    def _write(self, balancer: Balancer) -> Path:
        path = self._home / f"{balancer.name}.cfg"
        path.write_text(config(balancer))
        subprocess.run(["haproxy", "-c", "-q", "-f", str(path)], check=True)
        return path

    def _end(self, name: str) -> None:
        balancer, process = self._running.pop(name)
        process.terminate()
        process.wait(_SECONDS)
        _ip("address", "delete", f"{balancer.address}/32", "dev", "lo")
        for path in self._home.glob(f"{name}.*"):
            path.unlink()

    def clear(self) -> None:
        for name in list(self._running):
            self._end(name)
        self._parent.shutdown()


def _catches(pid: int, number: signal.Signals) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (number - 1) & 1)


def _listens(balancer: Balancer) -> bool:
    with closing(socket.socket()) as probe:
        return not probe.connect_ex((balancer.address, balancer.listeners[0][0]))


def config(balancer: Balancer) -> str:
    """The HAProxy configuration.  Pure."""
    sections = [_DEFAULTS.format(idle=balancer.idle_seconds, timeout=balancer.check.timeout if balancer.check else 5)]
    for port, member_port in balancer.listeners:
        sections.append(
            f"listen port-{port}\n  bind {balancer.address}:{port}\n  source {balancer.address}\n"
            + _check(balancer.check)
            + "".join(
                f"  server {instance} {address}:{member_port}{_check_options(balancer.check)}\n"
                for instance, address in balancer.members
            )
        )
    return "\n".join(sections)


_DEFAULTS = """\
global
  fd-hard-limit 4096
defaults
  mode tcp
  timeout connect 5s
  timeout client {idle}s
  timeout server {idle}s
  timeout check {timeout}s
  option redispatch
  retries 3
"""


def _check(check: Check | None) -> str:
    path = _target(check)[2] if check else ""
    return f"  option httpchk GET {path}\n  http-check expect status 200\n" if path else ""


def _check_options(check: Check | None) -> str:
    if check is None:
        return ""
    kind, port, _ = _target(check)
    tls = " check-ssl verify none" if kind in {"HTTPS", "SSL"} else ""
    return f" check port {port}{tls} inter {check.interval}s rise {check.healthy} fall {check.unhealthy}"


def _target(check: Check) -> tuple[str, int, str]:
    found = re.fullmatch(r"(TCP|SSL|HTTP|HTTPS):(\d+)(/.*)?", check.target)
    if found is None:
        raise ValueError(f"ELB takes no health check of {check.target!r}")
    return found[1], int(found[2]), found[3] or ""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
