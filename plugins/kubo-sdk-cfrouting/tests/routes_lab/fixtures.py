"""Fixtures of the service routes: one API server for all tests, and a lab for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .api_server import ApiServer, find_programs
from .lab import Lab
from .nats_server import NatsServer
from .pki import Authority


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip("no Kubernetes programs; set KUBO_TEST_BIN or build a release")
    server = ApiServer(tmp_path_factory.mktemp("kubernetes"), programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    directory = tmp_path_factory.mktemp("nats")
    server = NatsServer(directory, Authority(directory, "nats").leaf("nats", "127.0.0.1"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def lab(tmp_path: Path, api_server: ApiServer, nats_server: NatsServer) -> Iterator[Lab]:
    made = Lab(tmp_path, api_server, nats_server)
    try:
        yield made
    finally:
        made.close()
