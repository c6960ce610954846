"""Fixtures: addresses of a test's own on the loopback, an API server, a resolver outside, and a worker that runs."""

from __future__ import annotations

import itertools
import os
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.authority import issue
from kubo_sdk.ports.credentials import CertificateParameters

from .api import SERVICES, SLICES, ApiServer
from .objects import endpoint, service, slice_of
from .outside import Outside
from .worker import Worker

API_PORT = 8443
OUTSIDE = {"www.example.com": "192.0.2.80", "worker-0.contract.kubo.internal": "10.0.0.9"}
Pki = tuple[Path, Path, Path]


@pytest.fixture(scope="session")
def networks() -> Iterator[str]:
    """Beginnings of loopback addresses; two runs at once hardly ever take the same."""
    if os.geteuid() != 0:
        pytest.skip("only root may answer at port 53")
    start = random.randrange(1 << 14)
    return (f"127.{64 + (n >> 8) % 64}.{n & 255}" for n in itertools.count(start))


@pytest.fixture
def network(networks: Iterator[str]) -> str:
    """One of the test's own: a worker at .10, an API server at .1, resolvers outside at .53 and after."""
    return next(networks)


@pytest.fixture
def pki(tmp_path: Path, network: str) -> Pki:
    """An authority with a certificate that serves and asks."""
    return made_pki(tmp_path, network)


def made_pki(directory: Path, network: str) -> Pki:
    now = datetime.now(UTC)
    authority = issue(CertificateParameters(common_name="ca", is_ca=True, key_usage=("key_cert_sign",)), now=now)
    leaf = issue(
        CertificateParameters(
            common_name="kubo:cluster-dns",
            alternative_names=(f"{network}.1",),
            extended_key_usage=("server_auth", "client_auth"),
            ca="ca",
        ),
        ca=authority,
        now=now,
    )
    found = {"ca.pem": authority.certificate, "leaf.pem": leaf.certificate, "leaf.key": leaf.private_key}
    for name, content in found.items():
        (directory / name).write_text(content.reveal() if isinstance(content, Secret) else content)
    return directory / "ca.pem", directory / "leaf.pem", directory / "leaf.key"


@pytest.fixture
def api(network: str, pki: Pki) -> Iterator[ApiServer]:
    """With the Service every cluster has, and a headless one."""
    server = started_api(network, pki)
    try:
        yield server
    finally:
        server.stop()


def started_api(network: str, pki: Pki) -> ApiServer:
    server = ApiServer((f"{network}.1", API_PORT), pki).start()
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    server.put(SERVICES, service("kubernetes", "10.100.200.1", ports=[port]), service("db"))
    server.put(SLICES, slice_of("db", endpoint("10.200.1.5", "db-0"), endpoint("10.200.2.6")))
    return server


@pytest.fixture
def outside(network: str) -> Iterator[Outside]:
    resolver = Outside(
        f"{network}.53", {"www.example.com": "192.0.2.80", "worker-0.contract.kubo.internal": "10.0.0.9"}
    )
    try:
        yield resolver
    finally:
        resolver.stop()


@pytest.fixture
def home() -> Iterator[Path]:
    """Short: what pytest gives is too long for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="kdns-", ignore_cleanup_errors=True) as directory:
        yield Path(directory, "worker")


@pytest.fixture
def idle(home: Path, network: str, pki: Pki, api: ApiServer) -> Iterator[Worker]:
    """A worker on which nothing was started yet, whose resolv.conf names the resolver outside."""
    worker = Worker(home, f"{network}.10", api.url, pki)
    ask_outside(worker, network)
    try:
        yield worker
    finally:
        worker.close()


@pytest.fixture
def worker(idle: Worker) -> Worker:
    """It runs and knows the cluster."""
    idle.start()
    idle.wait_for_values("kubernetes.default.svc.cluster.local", "10.100.200.1")
    return idle


def ask_outside(worker: Worker, network: str) -> None:
    worker.resolv_conf.write_text(f"search kubo.internal\nnameserver {network}.53\n")


@attrs.frozen
class Shared:
    """A worker that runs, its API server, and the resolver outside."""

    worker: Worker
    api: ApiServer
    outside: Outside


@pytest.fixture(scope="session")
def shared(networks: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """For tests that break nothing; each has objects of its own."""
    network = next(networks)
    pki = made_pki(tmp_path_factory.mktemp("pki"), network)
    with tempfile.TemporaryDirectory(prefix="kdns-", ignore_cleanup_errors=True) as directory:
        api, outside = started_api(network, pki), Outside(f"{network}.53", OUTSIDE)
        worker = Worker(Path(directory, "worker"), f"{network}.10", api.url, pki)
        ask_outside(worker, network)
        try:
            worker.start()
            worker.wait_for_values("kubernetes.default.svc.cluster.local", "10.100.200.1")
            yield Shared(worker, api, outside)
        finally:
            worker.close()
            outside.stop()
            api.stop()
