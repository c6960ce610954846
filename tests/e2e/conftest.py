"""Real clusters for the end-to-end tests.  Names carry the process id, so that suites can run beside each other."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .site import Site, site

_numbers = itertools.count()


def _name() -> str:
    return f"kubo-e2e-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session", autouse=True)
def _root_only() -> None:
    if os.geteuid() != 0:
        pytest.exit("the end-to-end tests make real machines and need root", returncode=4)


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """A site with no cluster yet."""
    with site(_name(), tmp_path) as here:
        yield here


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site one module's tests share."""
    with site(_name(), tmp_path_factory.mktemp("site")) as here:
        yield here


@pytest.fixture(scope="module")
def quickstart(shared_site: Site) -> tuple[Site, Path]:
    """The seed's nine machines, up and running."""
    spec = shared_site.spec("quickstart")
    shared_site.kubo(spec, "up")
    return shared_site, spec
