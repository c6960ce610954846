"""What somebody takes away from a worker's network comes back, without anybody being asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import NamedTuple

import pytest

from .conftest import worker_maker
from .lab.datacentre import DataCentre
from .lab.etcd_server import DirectorEtcd, EtcdServer
from .lab.gate_server import GateServer
from .lab.namespaces import wait_for
from .lab.worker import Worker

SOON = 2.0  # seconds, with room for a busy machine


class Pair(NamedTuple):
    """A worker that is disturbed, and another one it must go on reaching."""

    here: Worker
    there: Worker

    @property
    def base(self) -> str:
        return str(IPv4Network(self.there.subnet).network_address)

    @property
    def mac(self) -> str:
        link = self.there.link()
        assert link is not None
        return str(link["address"])


@pytest.fixture(scope="module")
def pair(centre: DataCentre, etcd: EtcdServer, gate: GateServer) -> Iterator[Pair]:
    with worker_maker(centre, etcd, gate) as add_workers:
        here, there = (worker.ready() for worker in add_workers(2))
        wait_for(lambda: there.subnet in here.routes() and here.subnet in there.routes(), "the first routes")
        yield Pair(here, there)


Disturb = Callable[[Pair], str]

DISTURBANCES: dict[str, Disturb] = {
    "route deleted": lambda pair: pair.here.namespace.ip("route", "del", pair.there.subnet),
    "route turned elsewhere": lambda pair: pair.here.namespace.ip(
        "route", "replace", pair.there.subnet, "via", "10.99.0.1"
    ),
    "neighbour deleted": lambda pair: pair.here.namespace.ip("neigh", "del", pair.base, "dev", "flannel.1"),
    "neighbour changed": lambda pair: pair.here.namespace.ip(
        "neigh", "replace", pair.base, "lladdr", "02:00:00:00:00:99", "dev", "flannel.1", "nud", "permanent"
    ),
    "FDB entry deleted": lambda pair: pair.here.namespace.run(
        "bridge", "fdb", "del", pair.mac, "dev", "flannel.1", "dst", pair.there.address
    ),
    "FDB entry changed": lambda pair: pair.here.namespace.run(
        "bridge", "fdb", "replace", pair.mac, "dev", "flannel.1", "dst", "10.99.7.7", "self", "permanent"
    ),
    "device deleted": lambda pair: pair.here.namespace.ip("link", "del", "flannel.1"),
    "device switched off": lambda pair: pair.here.namespace.ip("link", "set", "flannel.1", "down"),
    "device set up otherwise": lambda pair: pair.here.namespace.run(
        "sh",
        "-ec",
        "ip link del flannel.1; ip link add flannel.1 type vxlan id 1 dstport 4789 dev eth0; ip link set flannel.1 up",
    ),
    "MAC changed": lambda pair: pair.here.namespace.ip("link", "set", "flannel.1", "address", "02:00:00:00:00:77"),
    "MTU changed": lambda pair: pair.here.namespace.ip("link", "set", "flannel.1", "mtu", "1200"),
    "address deleted": lambda pair: pair.here.namespace.ip("addr", "flush", "dev", "flannel.1"),
}


def picture(worker: Worker) -> tuple[object, ...]:
    """All that belongs to the overlay in the kernel of *worker*; nothing while the device comes and goes."""
    try:
        return _picture(worker)
    except AssertionError:
        return ()


def _picture(worker: Worker) -> tuple[object, ...]:
    link = worker.link()
    assert link is not None
    shown = json.loads(worker.namespace.ip("-j", "-4", "addr", "show", "flannel.1"))
    addresses = [entry["local"] for interface in shown for entry in interface["addr_info"]]
    routes = {key: value for key, value in worker.routes().items() if key.startswith("10.200.")}
    for route in routes.values():
        route.pop("protocol", None)
    return (
        link["address"],
        link["mtu"],
        "UP" in link["flags"],
        link["linkinfo"]["info_data"]["port"],
        addresses,
        routes,
        worker.fdb(),
        worker.neighbours(),
    )


@pytest.mark.parametrize("disturb", DISTURBANCES.values(), ids=DISTURBANCES.keys())
def test_it_is_back_within_a_second_or_two(pair: Pair, disturb: Disturb) -> None:
    before = picture(pair.here)
    with pair.here.frozen():
        disturb(pair)
        assert picture(pair.here) != before
    wait_for(lambda: picture(pair.here) == before, "the repair", SOON)


def test_pods_talk_again_after_the_device_was_deleted(pair: Pair) -> None:
    near, far = pair.here.add_pod(), pair.there.add_pod()
    pair.here.namespace.ip("link", "del", "flannel.1")
    wait_for(lambda: near.reaches(far.address), "the pods' next word", 2 * SOON)
    assert pair.here.said("put back what somebody changed")


def test_a_repaired_device_keeps_its_mac_so_that_no_lease_changes(pair: Pair, etcd: EtcdServer) -> None:
    director = DirectorEtcd(etcd)
    before = director.list("/coreos.com/network/subnets/")
    link = pair.here.link()
    pair.here.namespace.ip("link", "del", "flannel.1")
    again = wait_for(pair.here.link, "the device", SOON)
    assert link is not None
    assert again is not None
    assert again["address"] == link["address"]
    assert director.list("/coreos.com/network/subnets/") == before


RULES = [("nat", "POSTROUTING"), ("nat", "FLANNEL-POSTRTG"), ("filter", "FORWARD"), ("filter", "FLANNEL-FWD")]


def test_flushed_rules_come_back(pair: Pair) -> None:
    before = {place: pair.here.rules(*place) for place in RULES}
    assert all(before.values())
    with pair.here.frozen():
        for table, chain in RULES:
            pair.here.namespace.run("iptables", "-t", table, "-F", chain)
            assert not pair.here.rules(table, chain)
    wait_for(lambda: {place: pair.here.rules(*place) for place in RULES} == before, "the rules", 10)
    assert pair.here.said("put back the iptables rules")


def test_other_peoples_rules_stay_where_they_are(pair: Pair) -> None:
    mine = ["-A FORWARD -s 192.0.2.0/24 -j DROP"]
    pair.here.namespace.run("iptables", "-A", "FORWARD", "-s", "192.0.2.0/24", "-j", "DROP")
    pair.here.namespace.run("iptables", "-F", "FLANNEL-FWD")
    wait_for(lambda: pair.here.rules("filter", "FLANNEL-FWD"), "the rules", 10)
    shown = pair.here.rules("filter", "FORWARD")
    assert [rule for rule in shown if "FLANNEL" not in rule] == mine
    assert sum("FLANNEL-FWD" in rule for rule in shown) == 1


def test_what_an_earlier_life_left_behind_is_removed(pair: Pair) -> None:
    here = pair.here
    before = picture(here)
    here.stop()
    for command in (
        "ip neigh replace 10.200.250.0 lladdr 02:00:00:00:00:50 dev flannel.1 nud permanent",
        "bridge fdb replace 02:00:00:00:00:50 dev flannel.1 dst 10.99.1.50 self permanent",
        "ip route replace 10.200.250.0/24 via 10.200.250.0 dev flannel.1 onlink",
        "ip route replace 10.200.251.0/24 via 10.99.0.1 dev eth0",
    ):
        here.namespace.run(*command.split())
    assert picture(here) != before
    here.start()
    wait_for(lambda: picture(here) == before, "the clean-up", 10)


def test_routes_of_others_are_left_alone(pair: Pair) -> None:
    foreign = ["10.200.0.0/17", "192.0.2.0/24", "10.200.9.7"]
    for destination in foreign:
        pair.here.namespace.ip("route", "add", destination, "via", "10.99.0.1")
    pair.here.namespace.ip("route", "del", pair.there.subnet)
    wait_for(lambda: pair.there.subnet in pair.here.routes(), "the repair", SOON)
    assert set(foreign) <= set(pair.here.routes())


def test_a_stopped_agent_leaves_the_data_plane_in_place(pair: Pair) -> None:
    near, far = pair.here.add_pod(), pair.there.add_pod()
    before = picture(pair.here)
    pair.here.stop()
    assert picture(pair.here) == before
    assert near.reaches(far.address)
    assert pair.here.subnet_file.exists()
    pair.here.start()
