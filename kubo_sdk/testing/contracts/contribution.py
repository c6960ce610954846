"""What every provider promises that contributes files and units to machines.

Mixed into the suite of its port; skipped where the provider is no `NodeContributor`.  An author may give the fixture
``spec`` (a cluster of the provider's own liking) and ``reconnected``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.render import render
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.ingress import IngressInfo
from kubo_sdk.ports.node import Contribution, NodeContributor
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.systemd import UNIT_DIRECTORY
from kubo_sdk.testing.contracts.contract import Contract
from kubo_sdk.testing.node_contexts import SampleCluster, sample_spec

OTHERS = 0o077
_SECTION = re.compile(r"\[[A-Za-z]+\]")
_SETTING = re.compile(r"[A-Za-z][A-Za-z0-9]*=.*")


class ContributionContract(Contract):
    """Rendered for one machine of every role of a cluster of the default shape."""

    @pytest.fixture
    def provider(self) -> Any:
        """The connected provider to be judged.  The suites of the ports give it."""
        raise NotImplementedError("give the contract a fixture 'provider'")

    @pytest.fixture
    def spec(self) -> ClusterSpec:
        """The cluster whose machines are rendered; the provider must be connected for the same."""
        return sample_spec()

    @pytest.fixture
    def overlay_info(self) -> OverlayInfo:
        """What the cluster's overlay needs: it decides which credentials a machine may see."""
        return OverlayInfo(etcd_prefixes=("/contract/network/",), kubernetes_user="contract:overlay")

    @pytest.fixture
    def cluster_dns_info(self) -> ClusterDnsInfo:
        """What the cluster DNS needs; likewise."""
        return ClusterDnsInfo(kubernetes_user="contract:cluster-dns")

    @pytest.fixture
    def ingress_info(self) -> IngressInfo:
        """What the cluster's ingress needs; likewise."""
        return IngressInfo()

    @pytest.fixture
    def sample(
        self,
        spec: ClusterSpec,
        overlay_info: OverlayInfo,
        cluster_dns_info: ClusterDnsInfo,
        ingress_info: IngressInfo,
    ) -> SampleCluster:
        return SampleCluster.of(spec, overlay_info, cluster_dns_info, ingress_info)

    @pytest.fixture
    def contributor(self, provider: Any) -> NodeContributor:
        """The provider as one that contributes."""
        if not isinstance(provider, NodeContributor):
            pytest.skip(f"{type(provider).__name__} has no node_files")
        return provider

    @pytest.fixture(params=list(Role), ids=lambda role: role.value)
    def role(self, request: pytest.FixtureRequest) -> Role:
        """Each role in turn."""
        role: Role = request.param
        return role

    def test_the_same_context_gives_the_same_contribution(
        self, contributor: NodeContributor, sample: SampleCluster, role: Role
    ) -> None:
        first = contributor.node_files(sample.of_role(role))
        for other in (Role.WORKER, Role.ETCD, role):
            contributor.node_files(sample.of_role(other))
        assert contributor.node_files(sample.of_role(role)) == first, "it depends on what was asked before"

    def test_another_connection_gives_the_same_contribution(
        self, contributor: NodeContributor, reconnected: Any, sample: SampleCluster, role: Role
    ) -> None:
        context = sample.of_role(role)
        assert reconnected.node_files(context) == contributor.node_files(context)

    def test_what_it_contributes_fits_beside_what_the_core_puts_there(
        self, contributor: NodeContributor, sample: SampleCluster, role: Role
    ) -> None:
        context = sample.of_role(role)
        contribution = contributor.node_files(context)
        assert isinstance(contribution, Contribution)
        render(context, (contribution,), sample.overlay)

    def test_its_units_restart_on_its_own_files_only(
        self, contributor: NodeContributor, sample: SampleCluster, role: Role
    ) -> None:
        contribution = contributor.node_files(sample.of_role(role))
        own = {file.path for file in contribution.files}
        own |= {f"{UNIT_DIRECTORY}/{unit.name}" for unit in contribution.units}
        for unit in contribution.units:
            assert set(unit.restart_on) <= own, f"{unit.name} restarts on {set(unit.restart_on) - own}"

    def test_its_units_are_made_of_sections_and_settings(
        self, contributor: NodeContributor, sample: SampleCluster, role: Role
    ) -> None:
        for unit in contributor.node_files(sample.of_role(role)).units:
            lines = [line for line in unit.text.replace("\\\n", " ").splitlines() if line.strip()]
            lines = [line for line in lines if not line.startswith(("#", ";"))]
            assert lines, f"{unit.name} is empty"
            assert _SECTION.fullmatch(lines[0]), f"{unit.name} begins with {lines[0]!r}, which is no section"
            strange = [line for line in lines if not _SECTION.fullmatch(line) and not _SETTING.fullmatch(line)]
            assert not strange, f"{unit.name} has {strange}"

    def test_a_secret_is_in_no_file_that_others_can_read_and_in_no_unit(
        self, contributor: NodeContributor, sample: SampleCluster, role: Role
    ) -> None:
        context = sample.of_role(role)
        contribution = contributor.node_files(context)
        for secret in sample.secrets(context):
            for file in contribution.files:
                if secret.encode() in file.data():
                    assert isinstance(file.content, Secret), f"{file.path} holds a secret and is no Secret"
            for unit in contribution.units:
                assert secret not in unit.text, f"{unit.name} holds a secret"
            assert secret not in repr(contribution)
        for file in contribution.files:
            if isinstance(file.content, Secret):
                assert not file.mode & OTHERS, f"{file.path} is secret and has mode {file.mode:04o}"

    def test_two_machines_of_a_role_may_each_be_rendered(
        self, contributor: NodeContributor, sample: SampleCluster, spec: ClusterSpec
    ) -> None:
        rendered: Callable[[Instance], Contribution] = lambda one: contributor.node_files(sample.context(one))  # noqa: E731
        assert all(isinstance(rendered(instance), Contribution) for instance in spec.instances())
