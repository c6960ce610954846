"""Fixtures: a stand-in for CredHub with its token server, and the store connected to it as the core connects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk_credhub.config import CredhubConfig
from kubo_sdk_credhub.connect import connect
from kubo_sdk_credhub.keeping.store import CredhubStore

from .standin.site import Site

Connect = Callable[..., CredhubStore]


def connect_with(options: dict[str, Any], base_dir: Path) -> CredhubStore:
    """The store for those options, read as the core reads them."""
    config, problems = structure(CredhubConfig, options, "credential_store")
    if config is None:
        raise ConfigError(problems)
    return connect(config, base_dir)


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One stand-in for tests that leave it as it is."""
    site = Site(tmp_path_factory.mktemp("shared"))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A stand-in that the test may break."""
    site = Site(tmp_path)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def store(site: Site, tmp_path: Path) -> CredhubStore:
    return connect_with(site.options(), tmp_path)
