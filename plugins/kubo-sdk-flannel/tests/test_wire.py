"""Byte for byte what flannel writes and reads."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from kubo_sdk_flannel.agent.kubernetes_store import marks_of, node_lease
from kubo_sdk_flannel.agent.wire import (
    BadNetwork,
    Lease,
    lease_key,
    lease_value,
    parse_lease,
    parse_network,
    parse_subnet_env,
    parse_subnet_key,
    subnet_env,
)

SUBNET = IPv4Network("10.244.52.0/24")
VXLAN = Lease(SUBNET, "192.168.64.3", "vxlan", 1, "c6:d2:32:6f:8f:44")
HOST_GW = Lease(SUBNET, "192.168.64.3", "host-gw")

VXLAN_VALUE = (
    b'{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan",'
    b'"BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}'
)
HOST_GW_VALUE = b'{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"host-gw"}'
KEY = "/coreos.com/network/subnets/10.244.52.0-24"


@pytest.mark.parametrize(("lease", "value"), [(VXLAN, VXLAN_VALUE), (HOST_GW, HOST_GW_VALUE)])
def test_a_lease_is_written_and_read_as_flannel_does(lease: Lease, value: bytes) -> None:
    assert lease_key("/coreos.com/network", lease.subnet) == KEY
    assert lease_value(lease) == value
    assert parse_lease(KEY, value) == lease


def test_the_ipv4_half_of_a_dual_stack_lease_is_read() -> None:
    key = f"{KEY}&fd00:10:244:52::-64"
    value = VXLAN_VALUE.replace(b"null", b'"fd00::3"').replace(b"}}", b'},"BackendV6Data":{"VNI":1}}')
    assert parse_lease(key, value) == VXLAN


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"PublicIP":7}', b'{"PublicIP":"x"}', b"null", b"\xff"])
def test_a_value_that_is_no_lease_is_passed_over(value: bytes) -> None:
    assert parse_lease(KEY, value) is None


@pytest.mark.parametrize(
    "key", ["/coreos.com/network/config", "/x/10.244.52.0", "/x/10.244.52.9-24", "/x/999.1.1.0-24"]
)
def test_a_key_that_names_no_subnet_is_passed_over(key: str) -> None:
    assert parse_subnet_key(key) is None


def test_subnet_env_is_flannels() -> None:
    network = parse_network('{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}')
    text = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.52.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
    assert subnet_env(network, SUBNET, 1450) == text
    assert parse_subnet_env(text) == SUBNET
    assert parse_subnet_env("FLANNEL_MTU=1450\n") is None
    assert parse_subnet_env("FLANNEL_SUBNET=what\n") is None


@pytest.mark.parametrize(("lease", "data"), [(VXLAN, '{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}'), (HOST_GW, "null")])
def test_the_annotations_of_a_node_are_flannels(lease: Lease, data: str) -> None:
    marks = marks_of(lease)
    assert marks == {
        "flannel.alpha.coreos.com/kube-subnet-manager": "true",
        "flannel.alpha.coreos.com/backend-type": lease.backend,
        "flannel.alpha.coreos.com/backend-data": data,
        "flannel.alpha.coreos.com/public-ip": "192.168.64.3",
    }
    node = {"metadata": {"annotations": marks}, "spec": {"podCIDR": str(SUBNET)}}
    assert node_lease(node) == lease
    assert node_lease({"metadata": {}, "spec": {"podCIDR": str(SUBNET)}}) is None


def test_a_configuration_is_read_with_flannels_defaults() -> None:
    network = parse_network('{"network":"10.244.0.0/16","BACKEND":{"type":"vxlan"}}')
    assert network.subnet_length == 24
    assert (network.subnet_min, network.subnet_max) == (IPv4Address("10.244.1.0"), IPv4Address("10.244.255.0"))
    assert (network.backend.vni, network.backend.port, network.backend.mtu) == (1, 0, 0)
    assert not network.backend.direct_routing


def test_a_small_network_is_cut_two_bits_further() -> None:
    network = parse_network('{"Network":"10.244.0.0/24","Backend":{"Type":"host-gw"}}')
    assert network.subnet_length == 26
    assert (network.subnet_min, network.subnet_max) == (IPv4Address("10.244.0.64"), IPv4Address("10.244.0.192"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "the network configuration is not JSON"),
        ("[]", "the network configuration is not a JSON object"),
        ("{}", "has no 'network'"),
        ('{"Network":"10.0.0.0/33"}', "the network configuration is wrong"),
        ('{"Network":"10.0.0.0/8"}', "asks for backend 'udp'; this agent knows vxlan and host-gw"),
        ('{"Network":"10.0.0.0/29","Backend":{"Type":"vxlan"}}', "cannot be cut"),
        ('{"Network":"10.0.0.0/24","SubnetLen":25,"Backend":{"Type":"vxlan"}}', "choose a length from 26 to 30"),
        ('{"Network":"10.0.0.0/16","SubnetMin":"10.0.0.9","Backend":{"Type":"vxlan"}}', "is not the start of a /24"),
        ('{"Network":"10.0.0.0/16","SubnetMax":"10.1.0.0","Backend":{"Type":"vxlan"}}', "inside 10.0.0.0/16"),
    ],
)
def test_a_wrong_configuration_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadNetwork) as error:
        parse_network(text)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
