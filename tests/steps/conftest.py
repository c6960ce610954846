"""A fake cloud for each test, closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubo_sdk.testing.fakes import FakeCloud


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made
