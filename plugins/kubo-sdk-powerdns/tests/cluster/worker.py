"""One worker's cluster DNS on loopback addresses of its own: the files it gets, and the programs its units start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import dns.message
import dns.query
import dns.rcode
import dns.resolver
from attrs import frozen

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.node import NodeFile
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec
from kubo_sdk_powerdns.cluster import paths
from kubo_sdk_powerdns.cluster.bundle import agent_archive
from kubo_sdk_powerdns.cluster.config import ClusterDnsConfig
from kubo_sdk_powerdns.cluster.dns import PowerdnsClusterDns
from kubo_sdk_powerdns.cluster.units import AGENT_UNIT, RECURSOR_UNIT, SERVER_UNIT

T = TypeVar("T")

OVERLAY = OverlayInfo()

ADDRESS = "10.100.200.10"
UNITS = (AGENT_UNIT, SERVER_UNIT, RECURSOR_UNIT)


def wait_for(probe: Callable[[], T], what: str, timeout: float = 30.0) -> T:
    """Poll *probe* until it returns something true."""
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(0.01)
    return found


@frozen(kw_only=True)
class Answer:
    """What a client gets: ``rcode`` in letters, and ``records`` as (type, content) in order."""

    rcode: str
    records: tuple[tuple[str, str], ...]
    names: tuple[str, ...] = ()


class Worker:
    """Paths and addresses of the files are exchanged for *home* and *address*; nothing else of them is changed."""

    def __init__(self, home: Path, address: str, api: str, pki: tuple[Path, Path, Path], **options: object) -> None:
        self.home = home
        home.mkdir()
        self.address = address
        self.resolv_conf = home / "resolv.conf"
        self.hosts = home / "hosts"
        self.snapshot = home / paths.SNAPSHOT.strip("/")
        self._api = api
        self._pki = pki
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, list[str]] = {}
        self.resolv_conf.write_text("")
        self.hosts.write_text("127.0.0.1 localhost\n")
        for place in (paths.RUN, paths.CACHE):
            Path(home, place.strip("/")).mkdir(parents=True)
        self._write(ClusterDnsConfig(**options))  # type: ignore[arg-type]

    def _write(self, config: ClusterDnsConfig) -> None:
        spec = sample_spec()
        provider = PowerdnsClusterDns(config, spec, agent_archive)
        sample = SampleCluster.of(spec, OVERLAY, provider.info())
        contribution = provider.node_files(sample.of_role(Role.WORKER))
        for file in contribution.files:
            self._put(file)
        settings = Path(self.place(paths.SETTINGS))
        chosen = json.loads(settings.read_text())
        names = ("ca", "certificate", "key")
        chosen["access"] = {"url": self._api, **dict(zip(names, map(str, self._pki), strict=True))}
        chosen |= {"resolv_conf": str(self.resolv_conf), "hosts": str(self.hosts)}
        settings.write_text(json.dumps(chosen))
        for unit in contribution.units:
            line = re.search(r"^ExecStart=(.*)$", unit.text, re.MULTILINE)
            assert line is not None
            self._commands[unit.name] = self._moved(line[1]).split()

    def _put(self, file: NodeFile) -> None:
        if file.path.startswith("/etc/sysusers.d"):
            return
        path = Path(self.place(file.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        binary = file.path == paths.AGENT
        path.write_bytes(file.data() if binary else self._moved(file.data().decode()).encode())

    def place(self, path: str) -> str:
        """Where *path* of a machine is here."""
        return f"{self.home}{path}"

    def _moved(self, text: str) -> str:
        for path in (paths.RUN, paths.CACHE, paths.CONFIG, paths.AGENT):
            text = text.replace(path, self.place(path))
        text = text.replace("etc-hosts-file=/etc/hosts", f"etc-hosts-file={self.hosts}")
        return (
            text.replace(ADDRESS, self.address)
            .replace("127.0.0.1:10053", f"{self.address}:10053")
            .replace("local-address=127.0.0.1\nlocal-port=10053", f"local-address={self.address}\nlocal-port=10053")
        )

    # -- programs

    def start(self, *units: str) -> Worker:
        """Start the programs of *units*, by default of all."""
        for unit in units or UNITS:
            log = (self.home / f"{unit}.log").open("ab")
            environment = {**os.environ, "NOTIFY_SOCKET": ""}
            self._processes[unit] = subprocess.Popen(self._commands[unit], stdout=log, stderr=log, env=environment)
            log.close()
            if unit == AGENT_UNIT:
                self._wait_for_agent()
        return self

    def _wait_for_agent(self) -> None:
        """What systemd waits for."""
        process, path = self._processes[AGENT_UNIT], self.place(f"{paths.RUN}/backend.sock")

        def answers() -> bool:
            with socket.socket(socket.AF_UNIX) as client:
                return client.connect_ex(path) == 0

        wait_for(lambda: process.poll() is not None or answers(), "the agent answering at its socket")

    def stop(self, unit: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self._processes.pop(unit, None)
        if process is not None:
            process.send_signal(how)
            process.wait(30)

    def restart(self, unit: str, how: signal.Signals = signal.SIGKILL) -> None:
        self.stop(unit, how)
        self.start(unit)

    def close(self) -> None:
        for unit in list(self._processes):
            self.stop(unit, signal.SIGKILL)

    def log(self, unit: str = AGENT_UNIT) -> str:
        return (self.home / f"{unit}.log").read_text()

    # -- questions

    def ask(self, name: str, kind: str = "A", *, timeout: float = 5.0, tcp: bool = False) -> Answer:
        """As a pod asks; names are full ones."""
        query = dns.message.make_query(name, kind)
        send = dns.query.tcp if tcp else dns.query.udp
        found = send(query, self.address, port=53, timeout=timeout)
        records, names = [], []
        for rrset in found.answer:
            for record in rrset:
                records.append((dns.rdatatype.to_text(rrset.rdtype), record.to_text()))
                names.append(rrset.name.to_text())
        return Answer(rcode=dns.rcode.to_text(found.rcode()), records=tuple(sorted(records)), names=tuple(names))

    def rcode(self, name: str, kind: str = "A") -> str:
        """How it ended; empty where nobody answers."""
        try:
            return self.ask(name, kind, timeout=1.0).rcode
        except dns.exception.Timeout:
            return ""

    def values(self, name: str, kind: str = "A") -> list[str]:
        """The contents alone; nothing where nobody answers."""
        try:
            return [text for _, text in self.ask(name, kind, timeout=1.0).records]
        except dns.exception.Timeout:
            return []

    def wait_for_values(self, name: str, *values: str, kind: str = "A", timeout: float = 30.0) -> None:
        wished = sorted(values)
        last: list[list[str]] = [[]]

        def fits() -> bool:
            last[0] = self.values(name, kind)
            return last[0] == wished

        wait_for(fits, f"{kind} {name} being {wished}", timeout)
