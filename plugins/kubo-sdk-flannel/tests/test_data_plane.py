"""Real agents in network namespaces: pods of different workers reach each other, however packets travel."""

from __future__ import annotations

import itertools
import json
from ipaddress import IPv4Network
from typing import Any

import pytest
from kubo_sdk_flannel.config import BackendKind, FlannelConfig

from .conftest import PODS, AddWorkers
from .lab.namespaces import wait_for
from .lab.worker import Pod, Worker

VXLAN = FlannelConfig()
DIRECT = FlannelConfig(direct_routing=True)
HOST_GW = FlannelConfig(backend=BackendKind.HOST_GW)


def everybody_knows_everybody(workers: list[Worker]) -> None:
    pairs = list(itertools.permutations(workers, 2))
    wait_for(lambda: all(other.subnet in one.routes() for one, other in pairs), "the routes between all workers")


@pytest.mark.parametrize("config", [VXLAN, DIRECT, HOST_GW], ids=["vxlan", "vxlan-direct", "host-gw"])
def test_pods_of_three_workers_reach_each_other(add_workers: AddWorkers, config: FlannelConfig) -> None:
    workers = [worker.ready() for worker in add_workers(3, config)]
    everybody_knows_everybody(workers)
    pods = [worker.add_pod() for worker in workers]
    pods.append(workers[0].add_pod())
    assert len({worker.subnet for worker in workers}) == 3
    assert all(pod.reaches(other.address) for pod in pods for other in pods)


def test_a_new_worker_is_told_by_the_watch_at_once_and_without_trouble(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    everybody_knows_everybody([here, there])
    (late,) = (worker.ready() for worker in add_workers(1))
    wait_for(lambda: late.subnet in here.routes(), "the route to the new worker", 1)
    assert {line.split(":")[0] for line in here.log.read_text().splitlines()[1:]} == {"the leases changed"}


def test_a_pod_sees_the_addresses_of_its_peers_and_not_those_of_their_machines(add_workers: AddWorkers) -> None:
    workers = [worker.ready() for worker in add_workers(2)]
    everybody_knows_everybody(workers)
    here, there = (worker.add_pod() for worker in workers)
    there.serve(workers[1].log)
    assert here.ask(there.address) == here.address


def test_a_service_reaches_a_pod_on_the_callers_own_node(add_workers: AddWorkers) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    caller, endpoint = worker.add_pod(), worker.add_pod()
    endpoint.serve(worker.log)
    service = ["-d", "10.100.200.7/32", "-p", "tcp", "--dport", "8080"]
    worker.namespace.run(
        "iptables", "-t", "nat", "-A", "PREROUTING", *service, "-j", "DNAT", "--to-destination", endpoint.address
    )
    assert caller.ask("10.100.200.7") == caller.address


def test_the_agent_switches_on_what_pods_on_one_node_need_for_services(add_workers: AddWorkers) -> None:
    (worker,) = add_workers(1, start=False)
    knobs = ("net.bridge.bridge-nf-call-iptables", "net.ipv4.ip_forward")
    worker.namespace.run("sysctl", "-q", "-w", *(f"{knob}=0" for knob in knobs))
    worker.start()
    worker.ready()
    assert worker.namespace.run("sysctl", "-n", *knobs).split() == ["1", "1"]


def test_the_vxlan_device_is_the_one_flannel_makes(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    everybody_knows_everybody([here, there])
    link = here.link()
    assert link is not None
    settings = link["linkinfo"]["info_data"]
    assert (settings["id"], settings["port"], settings["local"], settings["link"]) == (1, 8472, here.address, "eth0")
    assert settings["learning"] is False
    assert link["mtu"] == 1450
    base = str(IPv4Network(here.subnet).network_address)
    shown = json.loads(here.namespace.ip("-j", "-4", "addr", "show", "flannel.1"))
    assert [(entry["local"], entry["prefixlen"]) for entry in shown[0]["addr_info"]] == [(base, 32)]


def test_each_remote_lease_is_one_neighbour_one_fdb_entry_and_one_onlink_route(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    everybody_knows_everybody([here, there])
    remote, link = IPv4Network(there.subnet), there.link()
    assert link is not None
    base, mac = str(remote.network_address), link["address"]
    assert here.neighbours() == {(base, mac)}
    assert here.fdb() == {(mac, there.address)}
    assert here.routes()[there.subnet] == here.routes()[there.subnet] | {
        "gateway": base,
        "dev": "flannel.1",
        "flags": ["onlink"],
    }


@pytest.mark.parametrize("config", [DIRECT, HOST_GW], ids=["vxlan-direct", "host-gw"])
def test_direct_routes_go_to_the_machine_itself(add_workers: AddWorkers, config: FlannelConfig) -> None:
    here, there = (worker.ready() for worker in add_workers(2, config))
    everybody_knows_everybody([here, there])
    route = here.routes()[there.subnet]
    assert (route["gateway"], route["dev"], route["flags"]) == (there.address, "eth0", [])
    assert (here.link() is not None) == (config is DIRECT)


def test_host_routes_come_back_too(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2, HOST_GW))
    wait_for(lambda: there.subnet in here.routes(), "the first route")
    here.namespace.ip("route", "del", there.subnet)
    wait_for(lambda: there.subnet in here.routes(), "the repair", 2)


@pytest.mark.parametrize(("config", "mtu"), [(VXLAN, 1450), (HOST_GW, 1500), (FlannelConfig(mtu=1400), 1350)])
def test_pods_get_the_mtu_their_packets_need(add_workers: AddWorkers, config: FlannelConfig, mtu: int) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1, config))
    assert f"FLANNEL_MTU={mtu}\n" in worker.subnet_file.read_text()
    pod = worker.add_pod()
    assert json.loads(pod.namespace.ip("-j", "link", "show", "eth0"))[0]["mtu"] == mtu


def test_the_container_runtime_gets_its_configuration_when_the_network_is_there(add_workers: AddWorkers) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    network: dict[str, Any] = json.loads(worker.cni_file.read_text())
    bridge, portmap = network["plugins"]
    assert (network["cniVersion"], network["name"]) == ("0.4.0", "cbr0")
    assert bridge["ipam"]["ranges"] == [[{"subnet": worker.subnet}]]
    assert (bridge["mtu"], bridge["hairpinMode"], bridge["isDefaultGateway"], bridge["ipMasq"]) == (
        1450,
        True,
        True,
        False,
    )
    assert portmap == {"type": "portmap", "capabilities": {"portMappings": True}}
    assert worker.cni_file.stat().st_mode & 0o777 == 0o644


def test_a_cni_configuration_from_before_a_reboot_is_gone_until_there_is_a_network(add_workers: AddWorkers) -> None:
    (worker,) = add_workers(1, start=False, write=False)
    worker.cni_file.write_text("{}")
    worker.start()
    wait_for(lambda: not worker.cni_file.exists(), "the removal of the old CNI configuration")
    wait_for(lambda: worker.said("has no configuration yet"), "the agent's word that it waits")


def test_what_leaves_the_pod_network_is_masqueraded_and_what_moves_inside_is_not(add_workers: AddWorkers) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    masquerade = worker.rules("nat", "FLANNEL-POSTRTG")
    assert [rule.rpartition("-j ")[2].split()[0] for rule in masquerade] == ["RETURN"] * 4 + ["MASQUERADE"] * 2
    assert f"-s {PODS} ! -d 224.0.0.0/4" in masquerade[4]
    assert f"! -s {PODS} -d {PODS}" in masquerade[5]
    assert any(rule.endswith("-j FLANNEL-POSTRTG") for rule in worker.rules("nat", "POSTROUTING"))
    assert any(rule.endswith("-j FLANNEL-FWD") for rule in worker.rules("filter", "FORWARD"))
    assert len(worker.rules("filter", "FLANNEL-FWD")) == 2


def test_a_packet_to_the_outside_carries_the_address_of_the_machine(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    pod = here.add_pod()
    outside = Pod(there.namespace, there.address)
    outside.serve(there.log)
    assert pod.ask(there.address) == here.address
