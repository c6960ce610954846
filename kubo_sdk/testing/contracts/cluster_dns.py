"""What every cluster DNS promises about what it asks of a cluster.  Whether it answers, only a cluster can tell.

Subclass `ClusterDnsContract` and give it a fixture ``cluster_dns``, connected for the cluster of the fixture ``spec``
(`kubo_sdk.testing.node_contexts.sample_spec`)::

    class TestMyClusterDns(ClusterDnsContract):
        @pytest.fixture
        def cluster_dns(self, spec: ClusterSpec) -> ClusterDns:
            return MyClusterDns(...)
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.cluster_dns import ClusterDns, ClusterDnsInfo
from kubo_sdk.testing.contracts.contribution import ContributionContract


class ClusterDnsContract(ContributionContract):
    """Its manifests, its user, and what it puts on machines."""

    @pytest.fixture
    def cluster_dns(self) -> ClusterDns:
        """The cluster DNS to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'cluster_dns'")

    @pytest.fixture
    def provider(self, cluster_dns: ClusterDns) -> Any:
        return cluster_dns

    @pytest.fixture
    def cluster_dns_info(self, cluster_dns: ClusterDns) -> ClusterDnsInfo:
        return cluster_dns.info()

    def test_it_says_which_contract_it_keeps(self, cluster_dns: ClusterDns) -> None:
        assert cluster_dns.info().contract == 1
        assert cluster_dns.info() == cluster_dns.info()

    def test_its_manifests_are_kubernetes_objects_with_names_of_their_own(self, cluster_dns: ClusterDns) -> None:
        manifests = json.loads(json.dumps(cluster_dns.manifests()))
        for manifest in manifests:
            assert manifest["apiVersion"]
            assert manifest["kind"]
            assert manifest["metadata"]["name"]
        names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in manifests]
        assert len(set(names)) == len(names)

    def test_its_manifests_are_always_the_same(self, cluster_dns: ClusterDns, reconnected: ClusterDns) -> None:
        assert json.dumps(cluster_dns.manifests()) == json.dumps(cluster_dns.manifests())
        assert json.dumps(reconnected.manifests()) == json.dumps(cluster_dns.manifests())

    def test_its_rights_are_for_the_user_its_workers_are(self, cluster_dns: ClusterDns) -> None:
        user = cluster_dns.info().kubernetes_user
        subjects = [subject for manifest in cluster_dns.manifests() for subject in manifest.get("subjects", ())]
        bound = {subject["name"] for subject in subjects if subject.get("kind") == "User"}
        assert bound <= {user}, f"{bound} is bound, and its workers are {user}"
        assert user is None or bound, f"nobody gives {user} a right"

    def test_a_service_of_its_own_is_at_the_address_pods_ask(self, cluster_dns: ClusterDns, spec: ClusterSpec) -> None:
        services = [manifest for manifest in cluster_dns.manifests() if manifest["kind"] == "Service"]
        addresses = {service["spec"].get("clusterIP") for service in services}
        assert addresses <= {str(spec.network.dns_service), "None", None}
        for service in services:
            if service["spec"].get("clusterIP") == str(spec.network.dns_service):
                ports = {(port["port"], port.get("protocol", "TCP")) for port in service["spec"]["ports"]}
                assert {(53, "UDP"), (53, "TCP")} <= ports
