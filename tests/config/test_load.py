"""What a right spec becomes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import from_mapping, load
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, NodeNames, ProviderChoice, default_groups
from kubo_sdk.model.version import KubernetesVersion

SMALLEST: dict[str, Any] = {"name": "demo", "kubernetes": {"version": "1.20.2"}}

EVERYTHING = """
name: prod
director: berlin
zone: prod.example.com
kubernetes:
  version: v1.31.4
  source: {provider: directory, path: releases/1.31}
  node_names: instance
  api_port: 6443
  audit: false
  extra_args:
    kube-apiserver: {v: 4, profiling: false, event-ttl: 2h}
instance_groups:
  - &size
    name: etcd
    instances: 5
    azs: [z1, z2, z3]
    vm: {cpus: 2, memory_mb: 2048, cloud_properties: {type: small, spot: true}}
    persistent_disk_mb: 4096
  - name: control
    role: master
    instances: 3
    azs: [z1, z2]
  - name: worker
  - <<: *size
    name: big
    role: worker
    labels: {tier: front, example.com/gpu: "yes"}
network:
  pods: 10.128.0.0/14
  services: 10.96.0.0/16
  node_ports: [31000, 32000]
  domain: k8s.example.com
cpi: {provider: cloud, region: eu, sizes: {a: 1}}
ingress: cloud-balancer
"""


@pytest.fixture
def full(tmp_path: Path) -> ClusterSpec:
    path = tmp_path / "cluster.yml"
    path.write_text(EVERYTHING)
    return load(path)


def test_a_name_and_a_version_are_enough_for_the_default_shape() -> None:
    spec = from_mapping(SMALLEST)
    assert spec.name == "demo"
    assert spec.kubernetes.version == KubernetesVersion(1, 20, 2)
    assert spec.instance_groups == default_groups()
    assert [len(spec.instances(role)) for role in Role] == [3, 2, 3, 1]
    assert spec.cpi == ProviderChoice(provider="local")


def test_every_key_reaches_the_spec(full: ClusterSpec) -> None:
    kubernetes = full.kubernetes
    assert (full.name, full.director, full.zone) == ("prod", "berlin", "prod.example.com")
    assert kubernetes.version == KubernetesVersion(1, 31, 4)
    assert kubernetes.source == ProviderChoice(provider="directory", options={"path": "releases/1.31"})
    assert (kubernetes.node_names, kubernetes.api_port, kubernetes.audit) == (NodeNames.INSTANCE, 6443, False)
    assert full.network.pods == IPv4Network("10.128.0.0/14")
    assert full.network.services == IPv4Network("10.96.0.0/16")
    assert (full.network.node_ports, full.network.domain) == ((31000, 32000), "k8s.example.com")
    assert full.cpi == ProviderChoice(provider="cloud", options={"region": "eu", "sizes": {"a": 1}})
    assert full.ingress == ProviderChoice(provider="cloud-balancer")
    assert full.dns == ProviderChoice(provider="hosts")


def test_extra_args_may_be_written_as_numbers_and_truth_values(full: ClusterSpec) -> None:
    assert full.kubernetes.extra_args == {"kube-apiserver": {"v": "4", "profiling": "false", "event-ttl": "2h"}}


def test_a_group_takes_its_role_from_its_name_or_from_role(full: ClusterSpec) -> None:
    assert [(group.name, group.role) for group in full.instance_groups] == [
        ("etcd", Role.ETCD),
        ("control", Role.MASTER),
        ("worker", Role.WORKER),
        ("big", Role.WORKER),
    ]


def test_a_group_without_numbers_has_those_of_the_default_shape(full: ClusterSpec) -> None:
    assert full.group("worker").instances == 3
    assert full.group("worker").persistent_disk_mb == 0
    spec = from_mapping({**SMALLEST, "instance_groups": [{"name": name} for name in ("etcd", "master", "worker")]})
    assert [(group.instances, group.persistent_disk_mb) for group in spec.instance_groups] == [
        (3, 1024),
        (2, 0),
        (3, 0),
    ]


def test_yaml_anchors_and_merges_share_values(full: ClusterSpec) -> None:
    big = full.group("big")
    assert (big.instances, big.azs, big.vm) == (5, ("z1", "z2", "z3"), full.group("etcd").vm)
    assert big.labels == (("example.com/gpu", "yes"), ("tier", "front"))


@pytest.mark.parametrize("written", ["30100-30200", [30100, 30200], "30100 - 30200"])
def test_node_ports_may_be_a_range_or_a_list(written: Any) -> None:
    assert from_mapping({**SMALLEST, "network": {"node_ports": written}}).network.node_ports == (30100, 30200)


def test_a_provider_may_be_given_by_name_or_with_options() -> None:
    assert from_mapping({**SMALLEST, "dns": "powerdns"}).dns == ProviderChoice(provider="powerdns")
    chosen = from_mapping({**SMALLEST, "dns": {"provider": "powerdns", "url": "http://x"}}).dns
    assert chosen == ProviderChoice(provider="powerdns", options={"url": "http://x"})


def test_values_that_have_their_type_already_are_taken_as_they_are() -> None:
    plain = from_mapping(SMALLEST)
    again = from_mapping(
        {
            "name": "demo",
            "kubernetes": plain.kubernetes,
            "network": {"pods": IPv4Network("10.200.0.0/16")},
            "instance_groups": plain.instance_groups,
            "cpi": ProviderChoice(provider="local"),
        }
    )
    assert again == plain


def test_a_spec_from_a_file_can_be_copied_pickled_and_compared(full: ClusterSpec) -> None:
    assert copy.deepcopy(full) == full
    assert pickle.loads(pickle.dumps(full)) == full


def test_a_file_and_the_same_mapping_give_the_same_spec(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_text("name: demo\nkubernetes:\n  version: 1.20.2\n")
    assert load(path) == from_mapping(SMALLEST)


def test_a_mapping_is_read_without_importing_yaml() -> None:
    program = (
        "import sys; from kubo_sdk.config import from_mapping;"
        "from_mapping({'name': 'demo', 'kubernetes': {'version': '1.20.2'}});"
        "sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_spec_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping([1])  # type: ignore[arg-type]
    assert caught.value.problems == ("the spec must be a mapping with name, kubernetes, not a list",)
