"""The suites for a provider that is named and not written into a test module.  Collected by `kubo_sdk.testing.run`.

The fixture ``subject`` comes from the runner.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDns
from kubo_sdk.ports.cpi import Cpi
from kubo_sdk.ports.credentials import CredentialStore
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.testing.contracts.cluster_dns import ClusterDnsContract
from kubo_sdk.testing.contracts.contract import Contract, not_offered
from kubo_sdk.testing.contracts.contribution import ContributionContract
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.contracts.credential_store import CredentialStoreContract
from kubo_sdk.testing.contracts.dns import DnsContract
from kubo_sdk.testing.contracts.ingress import IngressContract
from kubo_sdk.testing.contracts.overlay import OverlayContract
from kubo_sdk.testing.node_contexts import namesake_spec, stranger_spec
from kubo_sdk.testing.spawn import Spawnable
from kubo_sdk.testing.subject import Subject

TOLD = (
    "azs",
    "boot_timeout",
    "concurrent_creates",
    "killed_moments",
    "patience",
    "record_types",
    "runs_commands",
)


def _require_other_connections(subject: Subject) -> None:
    if subject.settings.one_process:
        pytest.skip("one_process is true: no other connection can see what this one made")


def _spawnable(subject: Subject) -> Spawnable:
    _require_other_connections(subject)
    if not subject.is_installed:
        pytest.skip(f"no other process finds {subject.provider!r}: its plugin is not installed")
    return subject.spawnable()


class _Connected(Contract):
    """Fixtures that every suite takes from the subject."""

    @pytest.fixture(autouse=True)
    def as_told(self, subject: Subject) -> None:
        """The attributes of the suite, as the settings have them."""
        settings = subject.settings
        for name in TOLD:
            setattr(self, name, getattr(settings, name))
        self.vm_size = settings.vm

    @pytest.fixture
    def connected(self, subject: Subject) -> Any:
        """The connection that is judged."""
        return subject.connect()

    @pytest.fixture
    def reconnected(self, subject: Subject) -> Any:
        _require_other_connections(subject)
        return subject.connect()

    @pytest.fixture
    def spec(self, subject: Subject) -> ClusterSpec:
        return subject.spec


class TestCpi(_Connected, CpiContract):
    """``cpi``."""

    @pytest.fixture
    def cpi(self, connected: Cpi) -> Cpi:
        return connected

    @pytest.fixture
    def other_cpi(self, subject: Subject, connected: Cpi) -> Cpi:
        if subject.settings.other_options is None:
            return connected
        other: Cpi = subject.connect_for(stranger_spec())
        return other

    @pytest.fixture
    def spawnable(self, subject: Subject) -> Spawnable:
        return _spawnable(subject)

    @pytest.fixture
    def secrets(self, subject: Subject) -> tuple[str, ...]:
        found = [os.environ.get(name, "") for name in subject.settings.secret_variables]
        return tuple(secret for secret in found if secret)


class TestContribution(_Connected, ContributionContract):
    """``cpi`` and ``credential_store``, where they contribute to machines."""

    @pytest.fixture
    def provider(self, connected: Any) -> Any:
        return connected


class TestCredentialStore(_Connected, CredentialStoreContract):
    """``credential_store``."""

    @pytest.fixture
    def store(self, connected: CredentialStore) -> CredentialStore:
        return connected


class TestDns(_Connected, DnsContract):
    """``dns``."""

    @pytest.fixture
    def dns(self, connected: Dns) -> Dns:
        return connected

    @pytest.fixture
    def stranger(self, subject: Subject) -> Dns:
        _require_other_connections(subject)
        stranger: Dns = subject.connect_for(stranger_spec())
        return stranger

    @pytest.fixture
    def namesake(self, subject: Subject) -> Dns:
        _require_other_connections(subject)
        namesake: Dns = subject.connect_for(namesake_spec())
        return namesake

    @pytest.fixture
    def spawnable(self, subject: Subject) -> Spawnable:
        return _spawnable(subject)


class TestOverlay(_Connected, OverlayContract):
    """``overlay``."""

    @pytest.fixture
    def overlay(self, connected: Overlay) -> Overlay:
        return connected


class TestClusterDns(_Connected, ClusterDnsContract):
    """``cluster_dns``."""

    @pytest.fixture
    def cluster_dns(self, connected: ClusterDns) -> ClusterDns:
        return connected


class TestIngress(_Connected, IngressContract):
    """``ingress``."""

    @pytest.fixture
    def ingress(self, connected: Ingress) -> Ingress:
        return connected

    @pytest.fixture
    def stranger(self, subject: Subject) -> Ingress:
        _require_other_connections(subject)
        stranger: Ingress = subject.connect_for(stranger_spec())
        return stranger

    @pytest.fixture
    def namesake(self, subject: Subject) -> Ingress:
        _require_other_connections(subject)
        namesake: Ingress = subject.connect_for(namesake_spec())
        return namesake

    @pytest.fixture
    def backends_of(self) -> Callable[[str], frozenset[str]]:
        not_offered("backends_of", "tells where an endpoint's traffic goes")
