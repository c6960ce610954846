"""The suites that judge mutants.  `test_mutants` runs them, with a fixture ``provider_type`` of its own."""

from __future__ import annotations

from typing import Any

import pytest

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.testing.contracts.dns import DnsContract
from kubo_sdk.testing.contracts.ingress import IngressContract
from kubo_sdk.testing.fakes import FakeCloud

from .fake_suites import (
    NAMESAKE,
    STRANGER,
    FakeCpiSuite,
    FakeCredentialStoreSuite,
    FakeDnsSuite,
    FakeIngressSuite,
    FakeOverlaySuite,
)


class Impatient:
    """What does not happen within five virtual seconds does not happen."""

    patience = 5.0
    boot_timeout = 30.0


class TestCpi(Impatient, FakeCpiSuite):
    @pytest.fixture
    def cpi(self, cloud: FakeCloud, provider_type: Any) -> Cpi:
        return provider_type(cloud)

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud, provider_type: Any) -> Cpi:
        return provider_type(cloud)


class TestStore(Impatient, FakeCredentialStoreSuite):
    @pytest.fixture
    def store(self, cloud: FakeCloud, provider_type: Any) -> CredentialStore:
        return provider_type(cloud.clock, cloud.faults)


class TestDns(Impatient, FakeDnsSuite):
    @pytest.fixture
    def dns(self, cloud: FakeCloud, spec: ClusterSpec, provider_type: Any) -> Dns:
        return provider_type(cloud.site(spec.id))

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud, spec: ClusterSpec, provider_type: Any) -> Dns:
        return provider_type(cloud.site(spec.id))

    @pytest.fixture
    def stranger(self, cloud: FakeCloud, provider_type: Any) -> Dns:
        return provider_type(cloud.site(STRANGER))

    @pytest.fixture
    def namesake(self, cloud: FakeCloud, provider_type: Any) -> Dns:
        return provider_type(cloud.site(NAMESAKE))


class TestIngress(Impatient, FakeIngressSuite):
    @pytest.fixture
    def ingress(self, cloud: FakeCloud, spec: ClusterSpec, provider_type: Any) -> Ingress:
        return provider_type(cloud.site(spec.id))

    @pytest.fixture
    def reconnected(self, cloud: FakeCloud, spec: ClusterSpec, provider_type: Any) -> Ingress:
        return provider_type(cloud.site(spec.id))

    @pytest.fixture
    def stranger(self, cloud: FakeCloud, provider_type: Any) -> Ingress:
        return provider_type(cloud.site(STRANGER))

    @pytest.fixture
    def namesake(self, cloud: FakeCloud, provider_type: Any) -> Ingress:
        return provider_type(cloud.site(NAMESAKE))


class TestOverlay(Impatient, FakeOverlaySuite):
    @pytest.fixture
    def overlay(self, cloud: FakeCloud, provider_type: Any) -> Overlay:
        return provider_type(cloud)


class TestHosts(DnsContract):
    @pytest.fixture
    def dns(self, provider_type: Any) -> Dns:
        return provider_type()


class TestProxies(IngressContract):
    @pytest.fixture
    def ingress(self, provider_type: Any) -> Ingress:
        return provider_type()
