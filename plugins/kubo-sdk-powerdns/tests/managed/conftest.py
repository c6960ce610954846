"""A cluster with two proxies, one of whose machines runs here."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from attrs import evolve, frozen

from kubo_sdk.model.instance import Role
from kubo_sdk.pki.authority import issue
from kubo_sdk.ports.credentials import CertificateParameters
from kubo_sdk.ports.node import NodeContext
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec
from kubo_sdk_powerdns.managed.bundle import agent_archive
from kubo_sdk_powerdns.managed.dns import ManagedPowerdns

from .machine import NamesMachine, addresses, api_server, names_machine

_numbers = itertools.count()


@frozen
class Names:
    """The cluster and the machine of its first proxy."""

    cluster: SampleCluster
    machine: NamesMachine

    @property
    def domain(self) -> str:
        return self.cluster.spec.domain

    def context(self, instance: str = "proxy/0") -> NodeContext:
        found = self.cluster.spec.instance(instance)
        assert found is not None
        return self.cluster.context(found)

    def address(self, instance: str) -> str:
        return self.cluster.addresses[instance]

    def of(self, role: Role) -> list[str]:
        return sorted(self.address(one.id) for one in self.cluster.spec.instances(role))


@pytest.fixture(scope="session")
def cluster() -> SampleCluster:
    spec = sample_spec()
    groups = tuple(
        evolve(group, instances=2, persistent_disk_mb=64) if group.role is Role.PROXY else group
        for group in spec.instance_groups
    )
    spec = evolve(spec, instance_groups=groups)
    sample = SampleCluster.of(spec, OverlayInfo())
    return evolve(sample, addresses=addresses("127.66.0.10", [one.id for one in spec.instances()]))


@pytest.fixture
def forward() -> tuple[IPv4Address, ...]:
    """The resolvers for names outside the cluster."""
    return ()


@pytest.fixture
def dns(forward: tuple[IPv4Address, ...]) -> ManagedPowerdns:
    return ManagedPowerdns("", forward, agent_archive)


@pytest.fixture
def still(cluster: SampleCluster, dns: ManagedPowerdns, tmp_path: Path) -> Iterator[Names]:
    """Its files are written, and nothing runs yet."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network namespace")
    with names_machine(f"names-{os.getpid()}-{next(_numbers)}", tmp_path, dns) as machine:
        names = Names(cluster, machine)
        machine.write(names.context())
        yield names


@pytest.fixture
def running(still: Names) -> Names:
    """Server and agent run, and the names are served."""
    still.machine.start_server()
    still.machine.start_agent()
    still.machine.eventually(lambda: still.machine.ask(f"worker-0.{still.domain}"), [still.address("worker/0")])
    still.machine.eventually(lambda: still.machine.says("serves "), True)
    return still


@pytest.fixture
def api_servers(still: Names, cluster: SampleCluster, tmp_path: Path) -> dict[str, str]:
    """An API server behind each proxy and on each master; by instance, how `NamesMachine.tell` calls it."""
    parameters = CertificateParameters(common_name="api", ca="ca", alternative_names=("kubernetes.default.svc",))
    made = issue(parameters, now=datetime.now(UTC), ca=cluster.certificate)
    certificate, key = tmp_path / "api.crt", tmp_path / "api.key"
    certificate.write_text(made.certificate)
    key.write_text(made.private_key.reveal())
    instances = [*cluster.spec.instances(Role.PROXY), *cluster.spec.instances(Role.MASTER)]
    return {one.id: api_server(still.machine, still.address(one.id), certificate, key) for one in instances}
