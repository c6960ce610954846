"""Which subnet a node takes, and which changes a view asks for: decisions alone."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

import pytest
from kubo_sdk_flannel.agent.allocate import NoFreeSubnet, choose
from kubo_sdk_flannel.agent.dataplane import (
    Devices,
    Entries,
    Forwarding,
    Neighbour,
    Route,
    changes,
    is_ours,
    wished_for,
)
from kubo_sdk_flannel.agent.store import View
from kubo_sdk_flannel.agent.wire import Lease, parse_network

NETWORK = parse_network('{"Network":"10.200.0.0/20","SubnetLen":24,"Backend":{"Type":"vxlan"}}')
DIRECT = parse_network('{"Network":"10.200.0.0/16","Backend":{"Type":"vxlan","DirectRouting":true}}')
DEVICES = Devices(underlay=2, vxlan=7)


def first(subnets: Sequence[IPv4Network]) -> IPv4Network:
    return subnets[0]


def last(subnets: Sequence[IPv4Network]) -> IPv4Network:
    return subnets[-1]


def nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


def lease(number: int, backend: str = "vxlan") -> Lease:
    return Lease(IPv4Network(f"10.200.{number}.0/24"), f"192.0.2.{number}", backend, 1, f"02:00:00:00:00:{number:02x}")


@pytest.mark.parametrize(
    ("taken", "previous", "pick", "expected"),
    [
        ([], None, first, "10.200.1.0/24"),
        ([], None, last, "10.200.15.0/24"),
        (["10.200.1.0/24", "10.200.2.0/24"], None, first, "10.200.3.0/24"),
        (["10.200.1.0/24"], "10.200.7.0/24", first, "10.200.7.0/24"),
        (["10.200.7.0/24"], "10.200.7.0/24", first, "10.200.1.0/24"),
        (["10.200.7.128/25"], "10.200.7.0/24", first, "10.200.1.0/24"),
        (["10.200.0.0/21"], None, first, "10.200.8.0/24"),
        ([], "10.200.7.0/25", first, "10.200.1.0/24"),
        ([], "10.200.0.0/24", first, "10.200.1.0/24"),
        ([], "10.99.7.0/24", first, "10.200.1.0/24"),
    ],
)
def test_a_free_subnet_is_chosen(taken: list[str], previous: str | None, pick: object, expected: str) -> None:
    before = IPv4Network(previous) if previous else None
    assert choose(NETWORK, nets(*taken), before, pick) == IPv4Network(expected)  # type: ignore[arg-type]


def test_the_dice_see_at_most_a_hundred_subnets() -> None:
    wide = parse_network('{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}')
    assert choose(wide, [], None, lambda found: found[-1]) == IPv4Network("10.0.100.0/24")


def test_a_full_network_is_told_in_one_sentence() -> None:
    taken = [IPv4Network(f"10.200.{number}.0/24") for number in range(1, 16)]
    with pytest.raises(NoFreeSubnet, match=r"every /24 of 10\.200\.0\.0/20 is leased; widen the pod network"):
        choose(NETWORK, taken, None, first)


def test_direct_routing_is_for_machines_on_the_same_link() -> None:
    view = View(lease(1), (lease(2), lease(3)))
    wished = wished_for(view, DIRECT, DEVICES, lambda address: address == "192.0.2.2")
    assert wished.routes == {
        Route(lease(2).subnet, "192.0.2.2", 2, onlink=False),
        Route(lease(3).subnet, "10.200.3.0", 7, onlink=True),
    }
    assert wished.neighbours == {Neighbour("10.200.3.0", lease(3).mac)}
    assert wished.forwardings == {Forwarding(lease(3).mac, "192.0.2.3")}


def test_leases_of_other_backends_of_this_machine_and_of_its_own_subnet_are_left_out() -> None:
    own = lease(1)
    same_address = lease(2)._replace(public_ip=own.public_ip)
    overlapping = lease(3)._replace(subnet=IPv4Network("10.200.0.0/23"))
    view = View(own, (same_address, overlapping, lease(4, "host-gw"), lease(5)._replace(mac="")))
    assert len(wished_for(view, NETWORK, DEVICES, lambda _: False)) == 0


def test_a_neighbour_that_is_replaced_is_not_removed_as_well() -> None:
    nothing = frozenset[Forwarding](), frozenset[Route]()
    wished = Entries(frozenset({Neighbour("10.200.2.0", "02:00:00:00:00:02")}), *nothing)
    there = {Neighbour("10.200.2.0", "02:00:00:00:00:99"), Neighbour("10.200.9.0", "02:00:00:00:00:09")}
    found = Entries(frozenset(there), *nothing)
    todo = changes(wished, found)
    assert todo.add.neighbours == wished.neighbours
    assert {entry.address for entry in todo.remove.neighbours} == {"10.200.9.0"}
    assert str(todo) == "added 1 neighbour, removed 1 neighbour"
    assert not changes(wished, wished)


@pytest.mark.parametrize(
    ("route", "ours"),
    [
        (Route(IPv4Network("10.200.9.0/24"), "192.0.2.9", 2, onlink=False), True),
        (Route(IPv4Network("10.200.9.0/25"), "10.200.9.0", 7, onlink=True), True),
        (Route(IPv4Network("10.200.1.0/24"), "192.0.2.9", 2, onlink=False), False),
        (Route(IPv4Network("10.200.9.0/24"), "", 2, onlink=False), False),
        (Route(IPv4Network("10.200.9.0/24"), "192.0.2.9", 3, onlink=False), False),
        (Route(IPv4Network("10.200.0.0/17"), "192.0.2.9", 2, onlink=False), False),
        (Route(IPv4Network("10.99.9.0/24"), "192.0.2.9", 2, onlink=False), False),
    ],
)
def test_only_routes_that_an_agent_makes_are_ever_removed(route: Route, ours: bool) -> None:
    assert is_ours(route, lease(1), DIRECT, DEVICES) is ours
