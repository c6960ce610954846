"""Options of the overlay: good ones are taken, bad ones are told with their reason."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

import pytest
from kubo_sdk_flannel.agent.wire import Backend, parse_network
from kubo_sdk_flannel.config import FlannelConfig, network_problem
from kubo_sdk_flannel.network import network_text

from kubo_sdk.config.structure import structure

PODS = IPv4Network("10.200.0.0/16")


def read(options: dict[str, Any]) -> FlannelConfig:
    config, problems = structure(FlannelConfig, options, "overlay")
    assert config is not None, problems
    return config


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, '{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan","VNI":1,"Port":8472}}'),
        ({"backend": "host-gw"}, '{"Network":"10.200.0.0/16","Backend":{"Type":"host-gw"}}'),
        (
            {"vni": 42, "port": 4789, "direct_routing": True, "subnet_len": 26, "mtu": 9000},
            """{"Network":"10.200.0.0/16","SubnetLen":26,\
"Backend":{"Type":"vxlan","VNI":42,"Port":4789,"MTU":9000,"DirectRouting":true}}""",
        ),
    ],
)
def test_the_network_is_written_in_flannels_own_json(options: dict[str, Any], text: str) -> None:
    assert network_text(read(options), PODS).decode() == text


def test_what_the_director_writes_is_what_the_agent_reads() -> None:
    config = read({"vni": 42, "port": 4789, "direct_routing": True, "subnet_len": 26, "mtu": 9000})
    network = parse_network(network_text(config, PODS))
    assert (network.network, network.subnet_length) == (PODS, 26)
    assert network.backend == Backend("vxlan", 42, 4789, 9000, direct_routing=True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"backend": "udp"}, "overlay.backend"),
        ({"store": "consul"}, "overlay.store"),
        ({"vni": 0}, "overlay.vni is wrong: 0 is not a number from 1 to 16777215"),
        ({"port": 65536}, "overlay.port is wrong: 65536 is not a number from 1 to 65535"),
        ({"mtu": 100}, "overlay.mtu is wrong: 100 is not a number from 626 to 65535"),
        ({"subnet_len": 31}, "overlay.subnet_len is wrong: 31 is not a number from 3 to 30"),
        ({"prefix": "coreos"}, "write it like /coreos.com/network, with no slash at its end"),
        ({"prefix": "/a/"}, "write it like /coreos.com/network, with no slash at its end"),
        ({"prefix": "/registry/flannel"}, "is where Kubernetes keeps its own keys"),
        ({"prefix": "/registry"}, "is where Kubernetes keeps its own keys"),
        ({"backend": "host-gw", "direct_routing": True}, "direct_routing is a way of vxlan"),
        ({"backend": "host-gw", "mtu": 1400}, "host-gw takes the MTU of the interface; leave mtu out"),
        ({"store": "kubernetes", "subnet_len": 24}, "the controller manager cuts the subnets; leave subnet_len out"),
        ({"vnii": 1}, "overlay.vnii is not known"),
    ],
)
def test_a_wrong_option_is_told_with_its_reason(options: dict[str, Any], sentence: str) -> None:
    config, problems = structure(FlannelConfig, options, "overlay")
    assert config is None
    assert len(problems) == 1
    assert sentence in problems[0]


@pytest.mark.parametrize(
    ("options", "pods", "problem"),
    [
        ({}, "10.200.0.0/16", None),
        ({"subnet_len": 18}, "10.200.0.0/16", None),
        (
            {"subnet_len": 17},
            "10.200.0.0/16",
            "leaves no subnets in network.pods 10.200.0.0/16; choose a number from 18 to 30",
        ),
        ({}, "10.200.0.0/29", "network.pods 10.200.0.0/29 is too small for flannel"),
    ],
)
def test_the_pod_network_must_be_wide_enough(options: dict[str, Any], pods: str, problem: str | None) -> None:
    found = network_problem(read(options), IPv4Network(pods))
    assert (found is None) if problem is None else (problem in (found or ""))


@pytest.mark.parametrize("options", [{}, {"subnet_len": 28}, {"backend": "host-gw"}, {"mtu": 700}])
@pytest.mark.parametrize("pods", ["10.0.0.0/8", "10.200.0.0/16", "10.200.0.0/22", "10.200.0.0/26"])
def test_an_agent_can_use_every_network_the_director_accepts(options: dict[str, Any], pods: str) -> None:
    config = read(options)
    assert network_problem(config, IPv4Network(pods)) is None
    assert json.loads(network_text(config, IPv4Network(pods)))["Network"] == pods
    assert parse_network(network_text(config, IPv4Network(pods))).network == IPv4Network(pods)
