"""Fixtures: the agent's file, a data centre with an etcd in it, and an etcd that the tests themselves can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from kubo_sdk_flannel.bundle import agent_archive
from kubo_sdk_flannel.config import FlannelConfig
from kubo_sdk_flannel.overlay import FlannelOverlay

from .lab.datacentre import HUB, PREFIX, DataCentre
from .lab.etcd_server import DirectorEtcd, EtcdServer, free_ports
from .lab.gate_server import GateServer
from .lab.namespaces import Place
from .lab.worker import Worker

PODS = IPv4Network("10.200.0.0/16")


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file workers run."""
    path = tmp_path_factory.mktemp("agent") / "agent.pyz"
    path.write_bytes(agent_archive())
    return path


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory, agent: Path) -> Iterator[DataCentre]:
    centre = DataCentre(tmp_path_factory.mktemp("centre"), agent)
    try:
        yield centre
    finally:
        centre.close()


@pytest.fixture(scope="session")
def etcd(centre: DataCentre) -> EtcdServer:
    """An etcd on the hub, with users; workers reach it, the tests only through etcdctl."""
    server = EtcdServer(centre.hub, centre.directory, HUB)
    server.start()
    server.enable_users(f"{PREFIX}/")
    return server


@pytest.fixture(scope="session")
def gate(centre: DataCentre, etcd: EtcdServer, agent: Path) -> GateServer:
    """The gate of that etcd, by which workers reach it."""
    server = GateServer(centre.hub, centre.directory, agent, etcd)
    server.start()
    return server


@pytest.fixture
def director(etcd: EtcdServer) -> DirectorEtcd:
    return DirectorEtcd(etcd)


AddWorkers = Callable[..., list[Worker]]


@contextmanager
def worker_maker(centre: DataCentre, etcd: EtcdServer, gate: GateServer) -> Iterator[AddWorkers]:
    """``add(count, FlannelConfig(...))`` writes the network down and starts that many workers; all ends with it."""
    director = DirectorEtcd(etcd)

    def add(
        count: int,
        config: FlannelConfig | None = None,
        *,
        pods: IPv4Network = PODS,
        start: bool = True,
        write: bool = True,
        **etcd_: Any,
    ) -> list[Worker]:
        if write:
            FlannelOverlay(config or FlannelConfig(), pods, lambda: b"").ensure_network(director)
        workers = [centre.add_worker(gate.worker_settings(**etcd_)) for _ in range(count)]
        for worker in workers if start else ():
            worker.start()
        return workers

    try:
        yield add
    finally:
        centre.remove_workers()
        director.clear()


@pytest.fixture
def add_workers(centre: DataCentre, etcd: EtcdServer, gate: GateServer) -> Iterator[AddWorkers]:
    """Makes workers that are gone after the test."""
    with worker_maker(centre, etcd, gate) as add:
        yield add


@pytest.fixture(scope="session")
def local_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """An etcd with users on the loopback interface of the tests."""
    place = Place()
    first, second = free_ports(2)
    server = EtcdServer(place, tmp_path_factory.mktemp("etcd"), "127.0.0.1", ports=(first, second))
    try:
        server.start()
        server.enable_users(f"{PREFIX}/")
        yield server
    finally:
        place.close()
