"""A fake cloud for each test, closed afterwards, and deployed clusters on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubo_sdk.testing.fakes import FakeCloud

from .bench import Bench, bench


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made


@pytest.fixture
def site(cloud: FakeCloud, tmp_path: Path) -> Bench:
    """The default nine machines, wished for."""
    return bench(tmp_path, cloud)


@pytest.fixture
def deployed(site: Bench) -> Bench:
    """The default nine machines, deployed."""
    site.cluster.deploy()
    return site
