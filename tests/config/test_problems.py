"""Every wrong spec gets its exact sentence, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config import from_mapping, load
from kubo_sdk.errors import ConfigError

SHAPE = [{"name": "etcd"}, {"name": "master"}, {"name": "worker"}]
TOP = (
    "known here: backup, cluster_dns, cpi, credential_store, director, dns, health, ingress, instance_groups, "
    "kubernetes, name, network, overlay, preparation, update, zone"
)
GROUP = "known here: azs, instances, labels, name, persistent_disk_mb, role, vm"
COMPONENTS = "known here: etcd, kube-apiserver, kube-controller-manager, kube-proxy, kube-scheduler, kubelet"


def problems(**changes: Any) -> list[str]:
    mapping = {"name": "demo", "kubernetes": {"version": "1.20.2"}, **changes}
    with pytest.raises(ConfigError) as caught:
        from_mapping({key: value for key, value in mapping.items() if value is not ...})
    return list(caught.value.problems)


def groups(*changed: dict[str, Any]) -> dict[str, Any]:
    names = [group["name"] for group in changed]
    return {"instance_groups": [*changed, *(group for group in SHAPE if group["name"] not in names)]}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"nmae": 1}, f"nmae is not known, did you mean 'name'? {TOP}"),
    "unknown key, nothing near": ({"xyz": 1}, f"xyz is not known; {TOP}"),
    "unknown key inside": (
        groups({"name": "etcd", "instnaces": 3}),
        f"instance_groups[0].instnaces is not known, did you mean 'instances'? {GROUP}",
    ),
    "missing name": ({"name": ...}, "name is missing; it must be a text"),
    "missing kubernetes": ({"kubernetes": ...}, "kubernetes is missing; it must be a mapping with version"),
    "missing version": (
        {"kubernetes": {}},
        "kubernetes.version is missing; it must be a Kubernetes version such as 1.20.2",
    ),
    "empty": ({"network": None}, "network must be a mapping, not empty"),
    "text for a number": (
        groups({"name": "etcd", "instances": "three"}),
        "instance_groups[0].instances must be a whole number, not 'three'",
    ),
    "truth value for a number": (
        groups({"name": "etcd", "instances": True}),
        "instance_groups[0].instances must be a whole number, not True",
    ),
    "number for a text": ({"director": 7}, "director must be a text, not 7"),
    "text for a truth value": (
        {"kubernetes": {"version": "1.20.2", "audit": "yes"}},
        "kubernetes.audit must be true or false, not 'yes'",
    ),
    "text for a list": (
        groups({"name": "etcd", "azs": "z1"}),
        "instance_groups[0].azs must be a list, not 'z1'",
    ),
    "no choice": (
        {"kubernetes": {"version": "1.20.2", "node_names": "fqdn"}},
        "kubernetes.node_names must be one of address, instance, not 'fqdn'",
    ),
    "version as a number": (
        {"kubernetes": {"version": 1.20}},
        "kubernetes.version must be a Kubernetes version such as 1.20.2, not 1.2",
    ),
    "version incomplete": (
        {"kubernetes": {"version": "1.20"}},
        (
            "kubernetes.version is wrong: '1.20' is not a Kubernetes version; "
            "write it as MAJOR.MINOR.PATCH, for example 1.20.2"
        ),
    ),
    "version too old": (
        {"kubernetes": {"version": "1.19.0"}},
        "kubernetes.version is wrong: Kubernetes 1.19.0 is not supported; choose a version from 1.20 to 1.36",
    ),
    "version too new": (
        {"kubernetes": {"version": "1.99.0"}},
        "kubernetes.version is wrong: Kubernetes 1.99.0 is not supported; choose a version from 1.20 to 1.36",
    ),
    "unknown component": (
        {"kubernetes": {"version": "1.20.2", "extra_args": {"kube-apiservr": {}}}},
        f"kubernetes.extra_args.kube-apiservr is no component, did you mean 'kube-apiserver'? {COMPONENTS}",
    ),
    "flag with a list": (
        {"kubernetes": {"version": "1.20.2", "extra_args": {"kubelet": {"v": [1]}}}},
        "kubernetes.extra_args.kubelet.v must be a text, not a list",
    ),
    "even etcd": (
        groups({"name": "etcd", "instances": 4}),
        "instance_groups[0].instances is 4, and 4 etcd members survive no more failures than 3; choose 3 or 5",
    ),
    "no etcd": (
        {"instance_groups": SHAPE[1:]},
        "instance_groups has no group with role: etcd; add one, or leave instance_groups out for the default shape",
    ),
    "no master": (
        {"instance_groups": [SHAPE[0], SHAPE[2]]},
        "instance_groups has no group with role: master; add one, or leave instance_groups out for the default shape",
    ),
    "no worker": (
        {"instance_groups": SHAPE[:2]},
        "instance_groups has no group with role: worker; add one, or leave instance_groups out for the default shape",
    ),
    "two etcd groups": (
        groups(*SHAPE, {"name": "etcd2", "role": "etcd"}),
        (
            "instance_groups[3].role makes 'etcd2' a second etcd group after 'etcd'; "
            "a cluster has one, put all members there"
        ),
    ),
    "duplicate group": (
        groups(*SHAPE, {"name": "worker"}),
        "instance_groups[3].name is 'worker', the name of instance_groups[2]; give each group its own",
    ),
    "group without role": (
        groups(*SHAPE, {"name": "blue", "instances": 1}),
        "instance_groups[3].role is missing; it must be one of etcd, master, worker, proxy",
    ),
    "zero instances": (
        groups({"name": "worker", "instances": 0}),
        "instance_groups[0].instances must be at least 1, not 0; or leave the group out",
    ),
    "negative instances": (
        groups({"name": "etcd", "instances": -3}),
        "instance_groups[0].instances must be at least 1, not -3; or leave the group out",
    ),
    "negative cpus": (
        groups({"name": "etcd", "vm": {"cpus": -1}}),
        "instance_groups[0].vm.cpus must not be negative, and is -1; 0 sets none",
    ),
    "negative memory": (
        groups({"name": "etcd", "vm": {"memory_mb": -1}}),
        "instance_groups[0].vm.memory_mb must not be negative, and is -1; 0 sets none",
    ),
    "negative disk": (
        groups({"name": "etcd", "persistent_disk_mb": -1}),
        "instance_groups[0].persistent_disk_mb must not be negative, and is -1; 0 sets none",
    ),
    "cluster name": (
        {"name": "Demo_1"},
        "name must be small letters, digits and dashes, with a letter or digit at both ends, not 'Demo_1'",
    ),
    "cluster name as a path": (
        {"name": "../demo"},
        "name must be small letters, digits and dashes, with a letter or digit at both ends, not '../demo'",
    ),
    "cluster name with a line break": (
        {"name": "demo\n"},
        "name must be small letters, digits and dashes, with a letter or digit at both ends, not 'demo\\n'",
    ),
    "long cluster name": ({"name": "a" * 33}, "name is 33 characters long; choose a name of at most 32"),
    "director name": (
        {"director": "a/b"},
        "director must be small letters, digits and dashes, with a letter or digit at both ends, not 'a/b'",
    ),
    "long group name": (
        groups(*SHAPE, {"name": "w" * 21, "role": "worker"}),
        "instance_groups[3].name is 21 characters long; choose a name of at most 20",
    ),
    "zone": ({"zone": "Kubo"}, "zone must be a domain in small letters such as kubo.internal, not 'Kubo'"),
    "domain": (
        {"network": {"domain": "a..b"}},
        "network.domain must be a domain in small letters such as kubo.internal, not 'a..b'",
    ),
    "no az": (
        groups({"name": "etcd", "azs": []}),
        "instance_groups[0].azs names no availability zone; name at least one, or leave azs out",
    ),
    "bad az": (
        groups({"name": "etcd", "azs": ["z 1"]}),
        (
            "instance_groups[0].azs[0] must be an availability zone name of letters, digits, '-', '_' and '.', "
            "at most 63, not 'z 1'"
        ),
    ),
    "az twice": (
        groups({"name": "etcd", "azs": ["z1", "z2", "z1"]}),
        "instance_groups[0].azs[2] names 'z1' a second time; name each availability zone once",
    ),
    "label key": (
        groups({"name": "worker", "labels": {"a b": "c"}}),
        "instance_groups[0].labels.a b is no label key; write NAME or example.com/NAME",
    ),
    "label of Kubernetes": (
        groups({"name": "worker", "labels": {"node.kubernetes.io/x": "c"}}),
        "instance_groups[0].labels.node.kubernetes.io/x is a label that only Kubernetes may set; choose another prefix",
    ),
    "label value": (
        groups({"name": "worker", "labels": {"a": "b c"}}),
        "instance_groups[0].labels.a must be letters, digits, '-', '_' and '.', at most 63, not 'b c'",
    ),
    "network with host bits": (
        {"network": {"pods": "10.200.0.1/16"}},
        "network.pods must be an IPv4 network such as 10.200.0.0/16, not '10.200.0.1/16'",
    ),
    "IPv6": (
        {"network": {"pods": "fd00::/48"}},
        "network.pods must be an IPv4 network such as 10.200.0.0/16, not 'fd00::/48'",
    ),
    "overlap": (
        {"network": {"services": "10.200.8.0/24"}},
        (
            "network.services is 10.200.8.0/24 and overlaps network.pods, 10.200.0.0/16; "
            "choose ranges that share no address"
        ),
    ),
    "loopback": (
        {"network": {"pods": "127.0.0.0/16"}},
        "network.pods is 127.0.0.0/16, which no cluster can use; choose a private range such as 10.200.0.0/16",
    ),
    "small services": (
        {"network": {"services": "10.100.200.0/27"}},
        "network.services is a /27, too small for services; choose a /26 or larger",
    ),
    "large services": (
        {"network": {"services": "10.0.0.0/11", "pods": "172.16.0.0/16"}},
        "network.services is a /11, larger than the API server takes; choose a /12 or smaller",
    ),
    "small pods": (
        {"network": {"pods": "10.200.0.0/23"}},
        "network.pods is a /23, too small for a /24 for each of 3 workers; choose a /22 or larger",
    ),
    "pods smaller than one worker": (
        {**groups({"name": "worker", "instances": 1}), "network": {"pods": "10.200.0.0/25"}},
        "network.pods is a /25, too small for a /24 for each of 1 worker; choose a /24 or larger",
    ),
    "node ports as a text": (
        {"network": {"node_ports": "many"}},
        "network.node_ports must be two port numbers, first and last, such as 30000-32767, not 'many'",
    ),
    "node ports backwards": (
        {"network": {"node_ports": [32767, 30000]}},
        "network.node_ports must go upwards within 1024 to 65535, not from 32767 to 30000",
    ),
    "node ports beyond": (
        {"network": {"node_ports": "30000-70000"}},
        "network.node_ports must go upwards within 1024 to 65535, not from 30000 to 70000",
    ),
    "node ports over the API port": (
        {"network": {"node_ports": "8000-9000"}},
        "network.node_ports is 8000-9000 and holds kubernetes.api_port, 8443; move one of them",
    ),
    "API port": (
        {"kubernetes": {"version": "1.20.2", "api_port": 0}},
        "kubernetes.api_port must be a port from 1 to 65535, not 0",
    ),
    "API port of the kubelet": (
        {"kubernetes": {"version": "1.20.2", "api_port": 10250}},
        "kubernetes.api_port is 10250, the port of kubelet; choose another, such as 8443",
    ),
    "provider without a name": (
        {"cpi": {"region": "eu"}},
        "cpi.provider is missing; it must be the name of a provider",
    ),
    "provider of a wrong type": (
        {"cpi": 5},
        "cpi must be the name of a provider, or a mapping with provider and its options, not 5",
    ),
    "provider name of a wrong type": (
        {"cpi": {"provider": 5}},
        "cpi.provider must be the name of a provider, not 5",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_spec_gets_one_clear_sentence(case: str) -> None:
    changes, sentence = CASES[case]
    assert problems(**changes) == [sentence]


MANY = """\
name: Demo
kubernetes:
  version: 1.20.2
  api_port: 30100
instance_groups:
  - {name: etcd, instances: 2}
  - name: master
    instances: two
  - name: worker
    vm: {cpus: -1, memory_mb: much}
network:
  pods: nowhere
ingres: haproxy
name: again
"""


def test_all_problems_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_text(MANY)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [problem.removeprefix(f"{path}:") for problem in caught.value.problems] == [
        "14: 'name' stands here a second time, first in line 1; keep one",
        "4: network.node_ports is 30000-32767 and holds kubernetes.api_port, 30100; move one of them",
        "6: instance_groups[0].instances is 2, and 2 etcd members survive no more failures than 1; choose 1 or 3",
        "8: instance_groups[1].instances must be a whole number, not 'two'",
        "10: instance_groups[2].vm.memory_mb must be a whole number, not 'much'",
        "10: instance_groups[2].vm.cpus must not be negative, and is -1; 0 sets none",
        "12: network.pods must be an IPv4 network such as 10.200.0.0/16, not 'nowhere'",
        f"13: ingres is not known, did you mean 'ingress'? {TOP}",
    ]


def test_what_follows_from_a_wrong_value_is_not_told_as_well() -> None:
    wrong = {"pods": "nowhere", "services": "10.200.0.0/24"}
    assert problems(network=wrong) == ["network.pods must be an IPv4 network such as 10.200.0.0/16, not 'nowhere'"]
    assert problems(instance_groups=[5, *SHAPE[1:]]) == [
        "instance_groups[0] must be a mapping with name, role, instances, not 5"
    ]


def test_a_value_is_shown_short() -> None:
    (sentence,) = problems(zone=["x" * 1000])
    assert sentence == "zone must be a text, not a list"
    (sentence,) = problems(dns={"provider": 10**200})
    assert len(sentence) < 120
