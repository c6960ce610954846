"""Subnet leases in a real etcd: taken once each, kept alive, given up, taken again, also after etcd was away."""

from __future__ import annotations

import json
import signal
from ipaddress import IPv4Network

from kubo_sdk_flannel.config import FlannelConfig

from .conftest import AddWorkers
from .lab.datacentre import PREFIX
from .lab.etcd_server import DirectorEtcd, EtcdServer
from .lab.gate_server import GateServer
from .lab.namespaces import wait_for
from .lab.worker import Worker

SUBNETS = f"{PREFIX}/subnets/"
SHORT = {"lease_seconds": 3, "renew_margin": 2}


def subnets(director: DirectorEtcd) -> set[str]:
    """The subnets leased now."""
    return {item.key.removeprefix(SUBNETS).replace("-", "/") for item in director.list(SUBNETS)}


def key_of(worker: Worker) -> str:
    return SUBNETS + worker.subnet.replace("/", "-")


def lease_id(etcd: EtcdServer, key: str) -> int:
    (item,) = json.loads(etcd.ctl("get", key, "-w", "json"))["kvs"]
    return int(item["lease"])


def test_ten_agents_racing_for_fifteen_subnets_all_get_one_of_their_own(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    pods = IPv4Network("10.200.0.0/20")
    workers = add_workers(10, FlannelConfig(subnet_len=24), pods=pods)
    taken = {worker.ready(30).subnet for worker in workers}
    assert len(taken) == 10
    assert subnets(director) == taken
    assert all(IPv4Network(subnet).subnet_of(pods) for subnet in taken)


def test_an_agent_says_so_when_every_subnet_is_taken_and_takes_the_first_one_that_is_free(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    pods = IPv4Network("10.200.0.0/28")  # four subnets of /30, of which the first is never used
    first, *others = add_workers(3, FlannelConfig(subnet_len=30), pods=pods)
    for worker in (first, *others):
        worker.ready()
    (late,) = add_workers(1, FlannelConfig(subnet_len=30), pods=pods)
    wait_for(lambda: late.said("every /30 of 10.200.0.0/28 is leased"), "the agent's complaint")
    free = first.subnet
    first.stop()
    director.delete(key_of(first))
    assert late.ready().subnet == free


def test_a_worker_keeps_its_subnet_and_its_mac_over_a_reboot(add_workers: AddWorkers) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    subnet, link = worker.subnet, worker.link()
    worker.stop(signal.SIGKILL)
    worker.namespace.ip("link", "del", "flannel.1")
    worker.subnet_file.unlink()
    worker.state_file.unlink()
    worker.start()
    assert worker.ready().subnet == subnet
    again = worker.link()
    assert link is not None
    assert again is not None
    assert again["address"] == link["address"]


def test_the_subnet_of_an_earlier_run_is_taken_again_when_its_lease_has_ended(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    subnet = worker.subnet
    worker.stop()
    director.delete(key_of(worker))
    worker.state_file.unlink()
    worker.start()
    assert worker.ready().subnet == subnet
    assert subnets(director) == {subnet}


def test_a_lease_that_no_longer_fits_the_network_is_given_up(add_workers: AddWorkers, director: DirectorEtcd) -> None:
    (worker,) = add_workers(1, start=False)
    director.put(f"{SUBNETS}10.200.7.0-25", f'{{"PublicIP":"{worker.address}","BackendType":"vxlan"}}'.encode())
    worker.start()
    assert IPv4Network(worker.ready().subnet).prefixlen == 24
    assert subnets(director) == {worker.subnet}


def test_leases_are_renewed_under_a_new_etcd_lease_before_they_end(
    add_workers: AddWorkers, etcd: EtcdServer, director: DirectorEtcd
) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1, **SHORT))
    key = key_of(worker)
    value = director.get(key)
    seen: set[int] = set()

    def renewed_three_times() -> bool:
        seen.add(lease_id(etcd, key))
        return len(seen) >= 4

    wait_for(renewed_three_times, "three renewals")
    again = director.get(key)
    assert value is not None
    assert again is not None
    assert again.value == value.value


def test_a_worker_that_is_gone_is_forgotten_by_the_others_when_its_lease_ends(add_workers: AddWorkers) -> None:
    here, there = (worker.ready() for worker in add_workers(2, **SHORT))
    wait_for(lambda: there.subnet in here.routes(), "the first route")
    subnet = there.subnet
    there.stop(signal.SIGKILL)
    wait_for(lambda: subnet not in here.routes(), "the end of the lease", 10)
    assert here.fdb() == set()
    assert here.neighbours() == set()


def test_a_deleted_lease_is_taken_again_and_the_agent_says_so(add_workers: AddWorkers, director: DirectorEtcd) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    subnet = here.subnet
    director.delete(key_of(here))
    wait_for(lambda: subnets(director) == {subnet, there.subnet}, "the new lease")
    assert here.said("the subnet lease of this node is gone from etcd; taking one again")
    wait_for(lambda: here.subnet in there.routes(), "the way back")


def test_a_subnet_somebody_else_took_is_let_go_and_the_node_moves_to_another(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    lost = worker.subnet
    foreign = b'{"PublicIP":"10.99.1.99","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}'  # noqa: E501
    director.put(key_of(worker), foreign)
    wait_for(lambda: worker.subnet != lost, "the move")
    assert f"FLANNEL_SUBNET={IPv4Network(worker.subnet)[1]}/24" in worker.subnet_file.read_text()
    assert worker.subnet in worker.cni_file.read_text()
    wait_for(lambda: lost in worker.routes(), "the route to the new owner")
    wait_for(lambda: f"-s {worker.subnet}" in worker.rules("nat", "FLANNEL-POSTRTG")[1], "the rules of the new subnet")


def test_the_network_lives_through_an_outage_of_etcd_and_heals_itself_meanwhile(
    add_workers: AddWorkers, etcd: EtcdServer
) -> None:
    here, there = (worker.ready() for worker in add_workers(2))
    wait_for(lambda: there.subnet in here.routes() and here.subnet in there.routes(), "the first routes")
    near, far = here.add_pod(), there.add_pod()
    etcd.stop()
    try:
        wait_for(lambda: "etcd" in here.state()["error"], "the agent's word that etcd is away")
        here.namespace.ip("route", "del", there.subnet)
        wait_for(lambda: near.reaches(far.address), "the repair without etcd", 4)
        (late,) = add_workers(1, write=False)
        wait_for(lambda: late.said("does not answer"), "the new worker's complaint")
    finally:
        etcd.start()
    late.ready()
    wait_for(lambda: {there.subnet, late.subnet} <= set(here.routes()), "the route to the new worker")
    wait_for(lambda: here.state()["error"] == "", "the end of the trouble")
    assert here.running
    assert there.running


def test_an_agent_turns_to_another_member_when_one_does_not_answer(add_workers: AddWorkers, gate: GateServer) -> None:
    dead = ["https://10.99.0.1:1", "https://10.99.0.1:2"]
    (worker,) = add_workers(1, endpoints=[*dead, gate.url])
    worker.ready()


def test_an_agent_waits_for_a_network_and_for_its_right_to_read_it(
    add_workers: AddWorkers, etcd: EtcdServer, director: DirectorEtcd
) -> None:
    (worker,) = add_workers(1, start=False)
    director.delete(f"{PREFIX}/config")
    worker.start()
    wait_for(lambda: worker.said("the network has no configuration yet; waiting for it"), "the agent's word")
    assert not worker.cni_file.exists()
    director.put(f"{PREFIX}/config", b'{"network":"10.200.0.0/16","BACKEND":{"type":"vxlan"}}')
    worker.ready()


def test_a_wrong_network_is_told_in_one_sentence_and_waited_out(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    (worker,) = add_workers(1, start=False)
    director.put(f"{PREFIX}/config", b'{"Network":"10.200.0.0/16","Backend":{"Type":"wireguard"}}')
    worker.start()
    wait_for(lambda: worker.said("asks for backend 'wireguard'; this agent knows vxlan and host-gw"), "the sentence")
    assert worker.log.read_text().count("\n") == 1
    director.put(f"{PREFIX}/config", b'{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan"}}')
    worker.ready()


def test_an_agent_ends_when_the_network_becomes_another_one_so_that_systemd_starts_it_anew(
    add_workers: AddWorkers, director: DirectorEtcd
) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    director.put(f"{PREFIX}/config", b'{"Network":"10.200.0.0/16","Backend":{"Type":"host-gw"}}')
    wait_for(lambda: not worker.running, "the agent's end")
    assert worker.said("the network's configuration in etcd changed")
    worker.start()
    wait_for(lambda: worker.state()["backend"] == "host-gw", "the new network")
    assert worker.link() is None


def test_no_secret_is_told_to_the_journal_or_to_other_processes(add_workers: AddWorkers) -> None:
    (worker,) = (worker.ready() for worker in add_workers(1))
    shown = worker.log.read_text() + worker.state_file.read_text() + worker.command_line_and_environment()
    assert "overlay-password-of-the-lab" not in shown
    assert "PRIVATE KEY" not in shown
