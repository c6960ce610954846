"""The checks the core makes once it knows the providers: networks of theirs, the ingress, specs made in Python."""

from __future__ import annotations

import pathlib
from ipaddress import IPv4Network

import pytest
from attrs import evolve, frozen

from kubo_sdk.config import check, check_ingress, check_other_networks, from_mapping, line_of, load, networks_in, refuse
from kubo_sdk.config.place import Path
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, KubernetesSpec, NetworkSpec
from kubo_sdk.model.version import KubernetesVersion

SPEC = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion(1, 20, 2)))


@frozen(kw_only=True)
class Config:
    subnet: IPv4Network = IPv4Network("10.77.0.0/24")
    region: str = "eu"
    uplink: IPv4Network | None = None


def test_the_networks_of_a_config_are_found_by_their_type() -> None:
    found = networks_in(Config(), "cpi")
    assert found == {("cpi", "subnet"): IPv4Network("10.77.0.0/24")}


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        ("10.77.0.0/24", []),
        (
            "10.200.3.0/24",
            [
                (
                    "cpi.subnet is 10.200.3.0/24 and overlaps network.pods, 10.200.0.0/16; "
                    "choose ranges that share no address"
                )
            ],
        ),
        (
            "10.0.0.0/8",
            [
                (
                    "cpi.subnet is 10.0.0.0/8 and overlaps network.pods, 10.200.0.0/16; "
                    "choose ranges that share no address"
                ),
                (
                    "cpi.subnet is 10.0.0.0/8 and overlaps network.services, 10.100.200.0/24; "
                    "choose ranges that share no address"
                ),
            ],
        ),
    ],
)
def test_a_network_of_a_provider_must_not_overlap_those_of_the_cluster(subnet: str, expected: list[str]) -> None:
    others = networks_in(Config(subnet=IPv4Network(subnet)), "cpi")
    assert [str(problem) for problem in check_other_networks(SPEC, others)] == expected


def test_networks_of_two_providers_must_not_overlap_each_other() -> None:
    others: dict[Path, IPv4Network]
    others = {("cpi", "subnet"): IPv4Network("10.1.0.0/16"), ("ingress", "range"): IPv4Network("10.1.2.0/24")}
    (problem,) = check_other_networks(SPEC, others)
    assert str(problem).startswith("ingress.range is 10.1.2.0/24 and overlaps cpi.subnet, 10.1.0.0/16;")


def test_a_cluster_whose_own_networks_overlap_gets_no_other_blame() -> None:
    spec = evolve(SPEC, network=NetworkSpec(services=IPv4Network("10.200.0.0/24")))
    assert check_other_networks(spec, networks_in(Config(), "cpi")) == ()
    assert [problem.path for problem in check(spec)] == [("network", "services")]


def test_an_ingress_on_proxies_needs_a_proxy_group() -> None:
    without = evolve(SPEC, instance_groups=tuple(g for g in SPEC.instance_groups if g.role is not Role.PROXY))
    assert check_ingress(SPEC, runs_on_proxies=True) == ()
    assert check_ingress(without, runs_on_proxies=False) == ()
    (problem,) = check_ingress(without, runs_on_proxies=True)
    assert str(problem) == (
        "ingress is 'haproxy', which runs on proxy machines, and no instance group has role: proxy; "
        "add one, or choose another ingress"
    )


def test_a_spec_made_in_python_is_checked_the_same_way() -> None:
    spec = evolve(SPEC, instance_groups=(InstanceGroup(name="etcd", role=Role.ETCD, instances=2),))
    with pytest.raises(ConfigError) as caught:
        refuse(check(spec), spec)
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "instance_groups has no group with role: master",
        "instance_groups has no group with role: worker",
        "instance_groups[0].instances is 2, and 2 etcd members survive no more failures than 1",
    ]


def test_nothing_is_refused_without_a_problem() -> None:
    refuse(check(SPEC), SPEC)


def test_a_late_problem_with_an_option_has_its_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_text("name: demo\nkubernetes: {version: 1.20.2}\ncpi:\n  provider: local\n  subnet: 10.200.3.0/24\n")
    spec = load(path)
    with pytest.raises(ConfigError) as caught:
        refuse(check_other_networks(spec, {("cpi", "subnet"): IPv4Network("10.200.3.0/24")}), spec)
    assert caught.value.problems[0].startswith(f"{path}:5: cpi.subnet is 10.200.3.0/24 and overlaps network.pods")


def test_the_line_of_a_provider_is_known_however_it_is_written(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_text("name: demo\nkubernetes: {version: 1.20.2}\ndns: hosts\ncpi:\n  subnet: x\n  provider: local\n")
    spec = load(path)
    assert line_of(spec.dns) == f"{path}:3: "
    assert line_of(spec.cpi) == f"{path}:6: "
    assert line_of(spec.cpi, "subnet") == f"{path}:5: "
    assert line_of(spec.overlay) == ""


def test_a_late_problem_without_a_file_has_its_path_alone() -> None:
    spec = from_mapping({"name": "demo", "kubernetes": {"version": "1.20.2"}})
    with pytest.raises(ConfigError, match=r"^cpi\.subnet is "):
        refuse(check_other_networks(spec, {("cpi", "subnet"): IPv4Network("10.200.3.0/24")}), spec)


def test_a_thousand_workers_need_a_pod_network_that_holds_them() -> None:
    workers = InstanceGroup(name="worker", role=Role.WORKER, instances=1000)
    groups = (*(group for group in SPEC.instance_groups if group.role is not Role.WORKER), workers)
    (problem,) = check(evolve(SPEC, instance_groups=groups))
    assert str(problem) == (
        "network.pods is a /16, too small for a /24 for each of 1000 workers; choose a /14 or larger"
    )
    assert check(evolve(SPEC, instance_groups=groups, network=NetworkSpec(pods=IPv4Network("10.120.0.0/14")))) == ()
