"""The built-in cluster DNS: the objects of CoreDNS, and nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.builtin.coredns import Coredns, image
from kubo_sdk.builtin.coredns_config import CorednsConfig
from kubo_sdk.builtin.no_cluster_dns import NoClusterDns
from kubo_sdk.config.load import from_mapping
from kubo_sdk.config.structure import structure
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.ports.cluster_dns import ClusterDns
from kubo_sdk.testing.contracts.cluster_dns import ClusterDnsContract
from kubo_sdk.testing.node_contexts import sample_spec


class TestCoredns(ClusterDnsContract):
    @pytest.fixture
    def cluster_dns(self, spec: ClusterSpec) -> ClusterDns:
        return Coredns(CorednsConfig(), spec)

    @pytest.fixture
    def reconnected(self, spec: ClusterSpec) -> ClusterDns:
        return Coredns(CorednsConfig(), spec)


class TestNone(ClusterDnsContract):
    @pytest.fixture
    def cluster_dns(self) -> ClusterDns:
        return NoClusterDns()

    @pytest.fixture
    def reconnected(self) -> ClusterDns:
        return NoClusterDns()


def objects(config: CorednsConfig | None = None) -> Mapping[str, Any]:
    """The manifests by kind."""
    return {each["kind"]: each for each in Coredns(config or CorednsConfig(), sample_spec()).manifests()}


def test_the_service_selects_the_pods_of_the_deployment() -> None:
    found = objects()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert found["Service"]["spec"]["selector"].items() <= labels.items()


def test_the_pods_do_not_ask_themselves_for_names() -> None:
    assert objects()["Deployment"]["spec"]["template"]["spec"]["dnsPolicy"] == "Default"


def test_the_configuration_names_the_clusters_domain_and_its_networks() -> None:
    text = objects()["ConfigMap"]["data"]["Corefile"]
    assert "kubernetes cluster.local 10.100.200.0/24 10.200.0.0/16 {" in text
    assert "forward . /etc/resolv.conf {" in text


def test_options_of_a_spec_reach_the_objects() -> None:
    options = {"image": "ours/coredns:1", "replicas": 3, "forward": ["192.0.2.53", "192.0.2.54"]}
    config, problems = structure(CorednsConfig, options, "cluster_dns")
    assert config is not None, problems
    found = objects(config)
    assert found["Deployment"]["spec"]["replicas"] == 3
    assert found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"] == "ours/coredns:1"
    assert "forward . 192.0.2.53 192.0.2.54 {" in found["ConfigMap"]["data"]["Corefile"]


def test_no_pod_and_an_address_that_is_none_are_told_at_their_keys() -> None:
    _, problems = structure(CorednsConfig, {"replicas": 0, "forward": ["resolver"]}, "cluster_dns")
    assert {problem.split(" ")[0] for problem in problems} == {"cluster_dns.replicas", "cluster_dns.forward[0]"}


@pytest.mark.parametrize(("version", "fits"), [("1.20.2", "v1.9.3"), ("1.26.0", "v1.9.3"), ("1.27.0", "v1.12.0")])
def test_the_image_fits_the_version(version: str, fits: str) -> None:
    spec = sample_spec()
    spec = evolve(spec, kubernetes=evolve(spec.kubernetes, version=KubernetesVersion.parse(version)))
    assert image(CorednsConfig(), spec) == f"registry.k8s.io/coredns/coredns:{fits}"


@pytest.mark.parametrize("written", ["coredns", {"provider": "coredns"}])
def test_a_spec_names_it_shortly_or_with_options(written: Any) -> None:
    spec = from_mapping({"name": "demo", "kubernetes": {"version": "1.20.2"}, "cluster_dns": written})
    assert spec.cluster_dns.provider == "coredns"
