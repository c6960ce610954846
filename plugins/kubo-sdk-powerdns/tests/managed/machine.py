"""NamesMachine: a machine that answers names, in a network namespace: real PowerDNS, real agent, real API behind it.

What stands in for systemd is a shell that starts again what ends.  Files are those the provider contributes, with their
paths below a directory of the test.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.ports.node import NodeContext
from kubo_sdk_powerdns.managed import paths
from kubo_sdk_powerdns.managed.dns import ManagedPowerdns

T = TypeVar("T")
PATIENCE = 60.0
API = "http://127.0.0.1:10953/api/v1/servers/localhost"
AGAIN = 'while :; do "$@"; sleep 0.2; done'
API_SERVER = Path(__file__).with_name("api_server.py")
ASKER = Path(__file__).with_name("asker.py")
SERVER = 'trap exit TERM; while :; do python3 -IS "$1" prepare "$2" && pdns_server --config-dir="$3"; sleep 0.2; done'


class NamesMachine:
    """``dns`` is the provider; `write` puts its files for a context here."""

    def __init__(self, netns: str, home: Path, dns: ManagedPowerdns) -> None:
        self.netns, self.home, self.dns = netns, home, dns
        self.config, self.run, self.disk = home / "config", home / "run", home / "disk"
        self.log = home / "log"
        self.address = ""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        for directory in (self.config, self.run, self.disk):
            directory.mkdir(parents=True)

    def write(self, context: NodeContext) -> None:
        """Every file of the contribution, each put in its place by a rename."""
        self.address = context.address
        for file in self.dns.node_files(context).files:
            if file.path.startswith((paths.CONFIG, paths.AGENT)):
                target = self.config / Path(file.path).name
                fresh = target.with_name(f".{target.name}")
                fresh.write_bytes(self.moved(file.data()))
                fresh.replace(target)

    def moved(self, content: bytes) -> bytes:
        """*content* with the machine's paths made those of the test."""
        recursor = self.home / "recursor"
        recursor.mkdir(exist_ok=True)
        places = {
            paths.CONFIG: self.config,
            paths.RUN: self.run,
            paths.RECURSOR_RUN: recursor,
            str(Path(paths.database(disk=True)).parent): self.disk,
        }
        if content[:2] != b"PK":
            for old, new in places.items():
                content = content.replace(f"{old}/".encode(), f"{new}/".encode())
                content = content.replace(f"{old}\n".encode(), f"{new}\n".encode())
                content = content.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
        return content

    def start_server(self) -> None:
        agent, settings = self.config / "agent.pyz", self.config / "settings.json"
        self.start("server", "sh", "-c", SERVER, "sh", str(agent), str(settings), str(self.config))

    def start_agent(self) -> None:
        agent, settings = self.config / "agent.pyz", self.config / "settings.json"
        self.start("agent", "sh", "-c", AGAIN, "sh", "python3", "-IS", str(agent), "keep", str(settings))

    def start(self, name: str, *command: str) -> None:
        with self.log.open("ab") as log:
            inside = ["ip", "netns", "exec", self.netns, *command]
            self._processes[name] = subprocess.Popen(inside, stdout=log, stderr=log, start_new_session=True)

    def stop(self, name: str) -> None:
        """With everything it started."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def tell(self, name: str, how: signal.Signals) -> None:
        os.killpg(self._processes[name].pid, how)

    def close(self) -> None:
        for name in tuple(self._processes):
            self.stop(name)
        if "_asker" in vars(self):
            self._asker.communicate()
            del self._asker

    def pids(self, word: str) -> list[int]:
        """The processes of this machine whose command line has *word* for a program or an argument."""
        found = []
        there = subprocess.run(["ip", "netns", "pids", self.netns], capture_output=True, text=True, check=True)
        for one in there.stdout.split():
            try:
                words = Path(f"/proc/{one}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if word in words and words[0] != "sh":
                found.append(int(one))
        return found

    def kill(self, word: str, how: signal.Signals = signal.SIGKILL) -> None:
        for pid in self.pids(word):
            os.kill(pid, how)

    def ask(self, name: str, type: str = "A", *, port: int = 53) -> list[str]:
        """The answer: values, or the one word that says why there is none."""
        asker = self._asker
        assert asker.stdin is not None
        assert asker.stdout is not None
        asker.stdin.write(f"{self.address} {port} {name} {type}\n")
        asker.stdin.flush()
        found: list[str] = json.loads(asker.stdout.readline())
        return found

    @cached_property
    def _asker(self) -> subprocess.Popen[str]:
        command = ["ip", "netns", "exec", self.netns, sys.executable, str(ASKER)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def inside(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(
            ["ip", "netns", "exec", self.netns, *command], capture_output=True, text=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the server's own API, with the key the machine made."""
        key = (self.run / "api-key").read_text()
        data = ["--data", json.dumps(body)] if body is not None else []
        said = self.inside("curl", "-sf", "-X", method, "-H", f"X-API-Key: {key}", *data, f"{API}{path}")
        return json.loads(said) if said else None

    def change(self, zone: str, **rrset: Any) -> None:
        self.api("PATCH", f"/zones/{zone}", {"rrsets": [rrset]})

    def says(self, text: str) -> bool:
        return text in self.log.read_text(errors="replace")

    def eventually(self, question: Callable[[], T], wished: T) -> None:
        """Until the answer is *wished*; the failure says what it was instead, and what the machine logged."""
        last: list[T] = []

        def probe() -> bool | None:
            last[:] = [question()]
            return True if last[0] == wished else None

        try:
            wait_until(probe, what="the answer", timeout=PATIENCE)
        except Exception:
            raise AssertionError(f"{last} is not {wished!r}\n{self.log.read_text(errors='replace')[-3000:]}") from None


@contextmanager
def names_machine(name: str, home: Path, dns: ManagedPowerdns) -> Iterator[NamesMachine]:
    subprocess.run(["ip", "netns", "add", name], check=True)
    machine = NamesMachine(name, home, dns)
    try:
        machine.inside("ip", "link", "set", "lo", "up")
        yield machine
    finally:
        machine.close()
        subprocess.run(["ip", "netns", "del", name], check=True)


@contextmanager
def full_disk(directory: Path, size: str = "3m") -> Iterator[Callable[[], None]]:
    """A small file system at *directory*; what it gives fills it to the last byte, or empties it again."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "names-disk", str(directory)], check=True)
    try:
        yield lambda: fill(directory)
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(directory: Path) -> None:
    with (directory / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def api_server(machine: NamesMachine, address: str, certificate: Path, key: Path) -> str:
    """Start one API server at *address*; returns what it is called on this machine."""
    machine.start(address, sys.executable, "-IS", str(API_SERVER), address, str(certificate), str(key))
    return address


def addresses(first: str, ids: Sequence[str]) -> dict[str, str]:
    """One address of the loopback for each."""
    head = first.rpartition(".")[0]
    return {name: f"{head}.{number}" for number, name in enumerate(ids, 10)}
