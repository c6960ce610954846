"""The fakes pass the same contracts as everybody's providers, fifty machines at once among them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubo_sdk.testing.fakes import FakeCloud

from .fake_suites import (
    FakeCpiSuite,
    FakeCredentialStoreSuite,
    FakeDnsSuite,
    FakeIngressSuite,
    FakeOverlaySuite,
)


class TestFakeCpi(FakeCpiSuite):
    pass


class TestFakeCpiThatShowsThingsLate(FakeCpiSuite):
    @pytest.fixture
    def cloud(self) -> Iterator[FakeCloud]:
        with FakeCloud(zones=("z1", "z2"), lag=3.0) as cloud:
            yield cloud


class TestFakeCredentialStore(FakeCredentialStoreSuite):
    pass


class TestFakeDns(FakeDnsSuite):
    pass


class TestFakeOverlay(FakeOverlaySuite):
    pass


class TestFakeOverlayOnNodes(FakeOverlaySuite):
    @pytest.fixture
    def cloud(self) -> Iterator[FakeCloud]:
        with FakeCloud(node_cidrs=True) as cloud:
            yield cloud


class TestFakeIngress(FakeIngressSuite):
    pass
