"""The contract of a cluster DNS, its options, and what a worker is given."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from kubo_sdk.config.structure import structure
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.cluster_dns import ClusterDns
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.cluster_dns import ClusterDnsContract
from kubo_sdk.testing.node_contexts import SampleCluster
from kubo_sdk_powerdns.cluster.bundle import agent_archive
from kubo_sdk_powerdns.cluster.config import ClusterDnsConfig
from kubo_sdk_powerdns.cluster.dns import connect
from kubo_sdk_powerdns.cluster.zones import reverse_zones


class TestContract(ClusterDnsContract):
    @pytest.fixture
    def cluster_dns(self, spec: ClusterSpec, tmp_path: Path) -> ClusterDns:
        return connected(spec, tmp_path)

    @pytest.fixture
    def reconnected(self, spec: ClusterSpec, tmp_path: Path) -> ClusterDns:
        return connected(spec, tmp_path)

    def test_only_workers_get_anything_and_other_machines_change_nothing_there(
        self, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        for role in set(Role) - {Role.WORKER}:
            assert not contributor.node_files(sample.of_role(role)).files
        before = contributor.node_files(sample.of_role(Role.WORKER))
        after = contributor.node_files(sample.with_address("worker/1", "10.66.9.9").of_role(Role.WORKER))
        assert before == after
        assert before.units


def connected(spec: ClusterSpec, directory: Path) -> ClusterDns:
    context = ConnectContext(spec=spec, state_dir=directory, cache_dir=directory, base_dir=directory)
    return connect(ClusterDnsConfig(), context)


def test_the_plugin_offers_it() -> None:
    assert Plugins().cluster_dns("powerdns").config is ClusterDnsConfig


def test_a_resolver_that_is_no_address_is_refused_at_its_place() -> None:
    _, problems = structure(ClusterDnsConfig, {"forward": ["192.0.2.53", "resolver.example"]}, "cluster_dns")
    (problem,) = problems
    assert problem.startswith("cluster_dns.forward[1] must be")


@pytest.mark.parametrize(
    ("network", "zones"),
    [
        ("10.100.200.0/24", ["200.100.10.in-addr.arpa"]),
        ("10.200.0.0/16", ["200.10.in-addr.arpa"]),
        ("10.0.0.0/8", ["10.in-addr.arpa"]),
        ("10.100.200.0/23", ["200.100.10.in-addr.arpa", "201.100.10.in-addr.arpa"]),
        ("172.16.0.0/12", [f"{number}.172.in-addr.arpa" for number in range(16, 32)]),
        ("10.100.200.0/26", ["200.100.10.in-addr.arpa"]),
    ],
)
def test_the_reverse_zones_of_a_network_cover_it(network: str, zones: list[str]) -> None:
    assert list(reverse_zones(IPv4Network(network))) == zones


def test_the_agent_is_the_same_bytes_every_time_and_needs_python_alone(tmp_path: Path) -> None:
    assert agent_archive() == agent_archive()
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(agent_archive())
    done = subprocess.run(["/usr/bin/python3", "-IS", agent], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: agent.pyz SETTINGS\n")


def test_an_agent_whose_settings_cannot_be_used_says_so(tmp_path: Path) -> None:
    agent, settings = tmp_path / "agent.pyz", tmp_path / "settings.json"
    agent.write_bytes(agent_archive())
    settings.write_text("{}")
    done = subprocess.run(["/usr/bin/python3", "-IS", agent, settings], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"the settings {settings} or a file they name cannot be used: ")
