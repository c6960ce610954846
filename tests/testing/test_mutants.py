"""The suites notice: each of these providers breaks one promise, and the test of that promise fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.testing.fakes.cpi import FakeCpi
from kubo_sdk.testing.fakes.network import FakeDns, FakeIngress, FakeOverlay
from kubo_sdk.testing.fakes.store import MemoryStore
from kubo_sdk.testing.report import FAILED, TestResult
from kubo_sdk.testing.run import Collector

from .cpi_mutants import CPI_MUTANTS
from .other_mutants import (
    DNS_MUTANTS,
    HOSTS_MUTANTS,
    INGRESS_MUTANTS,
    OVERLAY_MUTANTS,
    PROXY_MUTANTS,
    STORE_MUTANTS,
)

SUITES = Path(__file__).with_name("mutant_suites.py")
MUTANTS: Mapping[str, Mapping[type[Any], str]] = {
    "TestCpi": CPI_MUTANTS,
    "TestStore": STORE_MUTANTS,
    "TestDns": DNS_MUTANTS,
    "TestIngress": INGRESS_MUTANTS,
    "TestOverlay": OVERLAY_MUTANTS,
    "TestHosts": HOSTS_MUTANTS,
    "TestProxies": PROXY_MUTANTS,
}
UNMUTATED = {
    "TestCpi": FakeCpi,
    "TestStore": MemoryStore,
    "TestDns": FakeDns,
    "TestIngress": FakeIngress,
    "TestOverlay": FakeOverlay,
    "TestHosts": HostsDns,
    "TestProxies": lambda: HaproxyIngress(HaproxyConfig()),
}


class Provider:
    """A pytest plugin with the fixture ``provider_type``: what makes the provider."""

    def __init__(self, provider_type: Any) -> None:
        self._provider_type = provider_type

    @pytest.fixture
    def provider_type(self) -> Any:
        return self._provider_type


def judged(suite: str, provider_type: Any, *arguments: str) -> list[TestResult]:
    collector = Collector(lambda _: None, Provider(provider_type))
    collector.run([f"{SUITES}::{suite}", *arguments])
    return collector.results


@pytest.mark.parametrize("suite", MUTANTS)
def test_a_provider_that_keeps_its_promises_passes(suite: str) -> None:
    results = judged(suite, UNMUTATED[suite])
    assert [result for result in results if result.outcome == FAILED] == []
    expected = set(MUTANTS[suite].values())
    passed = {result.name.partition("[")[0] for result in results if result.outcome == "passed"}
    assert expected <= passed


@pytest.mark.parametrize(
    ("suite", "mutant", "noticed_by"),
    [
        pytest.param(suite, mutant, noticed_by, id=mutant.__name__)
        for suite, mutants in MUTANTS.items()
        for mutant, noticed_by in mutants.items()
    ],
)
def test_a_provider_that_breaks_a_promise_is_noticed(suite: str, mutant: type[Any], noticed_by: str) -> None:
    results = judged(suite, mutant, "-k", noticed_by)
    assert results
    assert FAILED in {result.outcome for result in results}
