"""Who gets a port or a host name, and which nodes serve."""

from __future__ import annotations

from kubo_sdk_cfrouting.agent.routes_claims import Hosts, Rules, backends, grant_hosts, grant_ports
from kubo_sdk_cfrouting.agent.routes_objects import Node
from kubo_sdk_cfrouting.agent.routes_wishes import REFUSED, TAKEN, HttpWish, TcpWish

from .routes_lab.services import service

PREFIX = "kubo:d/prod:service:"
RULES = Rules(PREFIX, "default-tcp", ((1024, 1123), (2000, 2000)), "1024-1123,2000", 1030)
OLD, NEW = service("old", created="2026-01-01T00:00:00Z"), service("new", created="2026-02-01T00:00:00Z")
DOMAIN = "apps.test"


def marks(*services: str) -> frozenset[str]:
    return frozenset(services)


def test_a_port_that_nobody_has_goes_to_the_older_service() -> None:
    granted = grant_ports([TcpWish(NEW, 1024, 30081), TcpWish(OLD, 1024, 30080)], RULES, {})
    assert [wish.service.name for wish in granted.tcp] == ["old"]
    (complaint,) = granted.complaints
    assert (complaint.service, complaint.reason) == (NEW, TAKEN)
    assert complaint.text == "port 1024 is taken by the Service default/old; ask for another"


def test_who_holds_a_port_keeps_it_from_an_older_service() -> None:
    wishes = [TcpWish(NEW, 1024, 30081), TcpWish(OLD, 1024, 30080)]
    granted = grant_ports(wishes, RULES, {1024: marks(f"{PREFIX}default/new")})
    assert [wish.service.name for wish in granted.tcp] == ["new"]


def test_a_port_outside_the_group_and_the_port_of_the_api_are_refused() -> None:
    granted = grant_ports([TcpWish(OLD, 1500, 30080), TcpWish(NEW, 1030, 30080)], RULES, {})
    assert granted.tcp == ()
    outside, api = granted.complaints
    assert "port 1500 is none that the router group default-tcp has (1024-1123,2000)" in outside.text
    assert "port 1030 of the router group default-tcp leads to the API of this cluster" in api.text
    assert {outside.reason, api.reason} == {REFUSED}


def test_a_port_of_somebody_else_is_left_alone() -> None:
    for owner in ("kubo:d/other:service:default/x", "kubo:d/prod:api:master-0", "", "some-app"):
        granted = grant_ports([TcpWish(OLD, 1024, 30080)], RULES, {1024: marks(owner)})
        assert granted.tcp == ()
        assert granted.complaints[0].reason == TAKEN


def test_a_port_that_somebody_else_came_to_later_is_kept_and_told() -> None:
    mine = f"{PREFIX}default/old"
    granted = grant_ports([TcpWish(OLD, 1024, 30080)], RULES, {1024: marks(mine, "some-app")})
    assert len(granted.tcp) == 1
    assert "is registered by some-app as well" in granted.complaints[0].text


def test_of_two_clusters_that_took_a_port_in_the_same_moment_one_gives_it_back() -> None:
    theirs = "kubo:d/other:service:default/x"
    held = {1024: marks(f"{PREFIX}default/old", theirs)}
    assert grant_ports([TcpWish(OLD, 1024, 30080)], RULES, held).tcp == ()
    other = Rules("kubo:d/other:service:", *RULES[1:])
    assert len(grant_ports([TcpWish(service("x"), 1024, 30080)], other, held).tcp) == 1


def test_one_port_for_two_ports_of_a_service_is_given_once() -> None:
    granted = grant_ports([TcpWish(OLD, 1024, 30080), TcpWish(OLD, 1024, 30081)], RULES, {})
    assert [wish.node_port for wish in granted.tcp] == [30080]
    assert "is asked for twice by this Service" in granted.complaints[0].text


def test_host_names_go_by_the_same_rules_once_everybody_was_heard() -> None:
    wishes = [HttpWish(NEW, "shop", 30081), HttpWish(OLD, "shop", 30080), HttpWish(OLD, "store", 30080)]
    foreign = {"store.apps.test": "some-app"}
    granted, complaints = grant_hosts(wishes, PREFIX, DOMAIN, Hosts({}, foreign, True))
    assert granted == (wishes[1],)
    assert [complaint.text for complaint in complaints] == [
        "the host name store.apps.test is taken by some-app; ask for another",
        "the host name shop.apps.test is taken by the Service default/old; ask for another",
    ]


def test_before_everybody_was_heard_only_what_is_ours_already_is_granted() -> None:
    wishes = [HttpWish(OLD, "shop", 30080), HttpWish(OLD, "store", 30080)]
    ours = {"store.apps.test": marks(f"{PREFIX}default/old")}
    granted, complaints = grant_hosts(wishes, PREFIX, DOMAIN, Hosts(ours, {}, False))
    assert granted == (wishes[1],)
    assert complaints == ()


def node(name: str, address: str, *, ready: bool = True, leaving: bool = False) -> Node:
    return Node(name, address, ready, leaving)


def test_traffic_goes_to_ready_nodes_that_stay() -> None:
    nodes = [
        node("w0", "10.0.0.1"),
        node("w1", "10.0.0.2", ready=False),
        node("w2", "10.0.0.3", leaving=True),
        node("w3", ""),
    ]
    assert backends(OLD, nodes, {}) == ("10.0.0.1",)


def test_nodes_about_to_leave_serve_while_there_is_no_other() -> None:
    assert backends(OLD, [node("w0", "10.0.0.1", leaving=True)], {}) == ("10.0.0.1",)


def test_where_traffic_stays_local_only_nodes_with_a_ready_endpoint_get_some() -> None:
    local = service("shop", local=True)
    nodes = [node("w0", "10.0.0.1"), node("w1", "10.0.0.2")]
    assert backends(local, nodes, {"default/shop": frozenset({"w1"})}) == ("10.0.0.2",)
    assert backends(local, nodes, {}) == ()
