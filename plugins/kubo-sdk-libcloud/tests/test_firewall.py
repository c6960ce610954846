"""The rules are exactly the ports that the units of a cluster listen to, as the core and other plugins have them."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from attrs import evolve
from kubo_sdk_flannel import paths as flannel
from kubo_sdk_flannel.config import FlannelConfig
from kubo_sdk_powerdns.managed import paths as powerdns

from kubo_sdk.config.networks import COMPONENT_PORTS
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice
from kubo_sdk.nodes import etcd, kube_proxy
from kubo_sdk.ssh import SshHost
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk_libcloud import firewall
from kubo_sdk_libcloud.firewall import Group, Rule, rules

ADMINS, CLIENTS = (IPv4Network("10.9.0.0/16"),), (IPv4Network("203.0.113.0/24"),)
Ports = set[tuple[str, int, int]]


def ports(found: tuple[Rule, ...], group: Group, source: Group | IPv4Network) -> Ports:
    """What *group* accepts from *source*."""
    return {(rule.protocol, rule.first, rule.last) for rule in found if (rule.group, rule.source) == (group, source)}


def tcp(*numbers: int) -> Ports:
    return {("tcp", number, number) for number in numbers}


@pytest.fixture
def spec() -> ClusterSpec:
    return evolve(sample_spec(), overlay=ProviderChoice(provider="flannel"), dns=ProviderChoice(provider="hosts"))


def test_the_numbers_are_those_of_the_core_and_of_flannel() -> None:
    components = {firewall.ETCD_CLIENT, firewall.ETCD_PEER, firewall.KUBELET, firewall.KUBE_PROXY_HEALTH}
    assert components == set(COMPONENT_PORTS)
    assert (firewall.ETCD_CLIENT, firewall.ETCD_PEER) == (etcd.CLIENT_PORT, etcd.PEER_PORT)
    assert firewall.KUBE_PROXY_HEALTH == kube_proxy.HEALTH_PORT
    assert firewall.OVERLAY_GATE == flannel.GATE_PORT
    assert FlannelConfig().port == firewall.VXLAN
    assert firewall.NAMES == powerdns.DNS_PORT
    assert SshHost.__attrs_attrs__.port.default == firewall.SSH  # type: ignore[attr-defined]


def test_machines_come_to_each_other_at_what_the_units_listen_to(spec: ClusterSpec) -> None:
    found = rules(spec, ADMINS, CLIENTS)
    node_ports = ("tcp", *spec.network.node_ports)
    units = tcp(*COMPONENT_PORTS, spec.kubernetes.api_port, flannel.GATE_PORT)
    wanted = {*units, node_ports, ("udp", FlannelConfig().port, FlannelConfig().port)}
    assert ports(found, Group.MACHINES, Group.MACHINES) == wanted


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"store": "kubernetes"}, tcp(flannel.GATE_PORT)),
        ({"backend": "host-gw"}, {("udp", firewall.VXLAN, firewall.VXLAN)}),
        ({"port": 4789}, {("udp", firewall.VXLAN, firewall.VXLAN)}),
    ],
)
def test_what_flannel_does_not_use_is_closed(spec: ClusterSpec, options: dict[str, object], gone: Ports) -> None:
    other = evolve(spec, overlay=ProviderChoice(provider="flannel", options=options))
    before = ports(rules(spec, ADMINS, CLIENTS), Group.MACHINES, Group.MACHINES)
    after = ports(rules(other, ADMINS, CLIENTS), Group.MACHINES, Group.MACHINES)
    assert before - after == gone
    assert after - before == ({("udp", 4789, 4789)} if "port" in options else set())


def test_pods_addresses_are_let_in_only_where_packets_carry_them(spec: ClusterSpec) -> None:
    direct = evolve(spec, overlay=ProviderChoice(provider="flannel", options={"direct_routing": True}))
    pods = spec.network.pods
    assert ports(rules(spec, ADMINS, CLIENTS), Group.MACHINES, pods) == set()
    assert ports(rules(direct, ADMINS, CLIENTS), Group.MACHINES, pods) == {("tcp", 1, 65535), ("udp", 1, 65535)}


@pytest.mark.parametrize(("options", "opened"), [({}, True), ({"api": {"url": "https://ns1:8081"}}, False)])
def test_names_are_served_where_the_cluster_runs_its_name_server(
    spec: ClusterSpec, options: dict[str, object], opened: bool
) -> None:
    named = evolve(spec, dns=ProviderChoice(provider="powerdns", options=options))
    found = ports(rules(named, ADMINS, CLIENTS), Group.MACHINES, Group.MACHINES)
    assert ({("udp", 53, 53), ("tcp", 53, 53)} <= found) is opened


def test_the_director_enters_and_speaks_to_etcd_and_to_every_api(spec: ClusterSpec) -> None:
    balanced = evolve(spec, ingress=ProviderChoice(provider="libcloud-lb"))
    for each in (spec, balanced):
        found = ports(rules(each, ADMINS, CLIENTS), Group.MACHINES, ADMINS[0])
        assert tcp(firewall.SSH, firewall.ETCD_CLIENT, spec.kubernetes.api_port) <= found


def test_clients_come_to_the_front_alone(spec: ClusterSpec) -> None:
    front = {*tcp(spec.kubernetes.api_port), ("tcp", *spec.network.node_ports)}
    balanced = rules(evolve(spec, ingress=ProviderChoice(provider="libcloud-lb")), ADMINS, CLIENTS)
    proxied = rules(spec, ADMINS, CLIENTS)
    assert ports(proxied, Group.MACHINES, CLIENTS[0]) == front
    assert ports(balanced, Group.BALANCERS, CLIENTS[0]) == front
    assert ports(balanced, Group.MACHINES, CLIENTS[0]) == set()
    assert ports(balanced, Group.MACHINES, Group.BALANCERS) == front | tcp(firewall.KUBE_PROXY_HEALTH)
