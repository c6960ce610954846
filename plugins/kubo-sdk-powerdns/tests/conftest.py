"""Fixtures: a real PowerDNS, and a zone of its own on it for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab.server import PdnsServer
from .lab.site import PdnsSite


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdnsServer]:
    """One for all tests that do it no harm."""
    server = PdnsServer(tmp_path_factory.mktemp("pdns")).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PdnsServer]:
    """One that the test may stop, empty and starve."""
    server = PdnsServer(tmp_path / "own").start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_site(own_server: PdnsServer, tmp_path: Path) -> PdnsSite:
    return PdnsSite.make(own_server, tmp_path / "own-site", "own.example")
