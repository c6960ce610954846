"""One master leads, another takes over whatever happens to it, and the last one that is stopped leaves nothing."""

from __future__ import annotations

import signal

import pytest

from .routes_lab.lab import Lab
from .routes_lab.master import Master
from .routes_lab.process import wait_for

W0 = "10.0.16.1"


@pytest.fixture
def shop(lab: Lab) -> str:
    """The backend of a Service with both routes."""
    lab.api.add_node("w0", W0)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    return f"{W0}:{web}"


def wait_for_routes(lab: Lab, backend: str) -> None:
    lab.wait_for_tcp(1024, backend)
    lab.wait_for_http("shop", backend)


def pair(lab: Lab, backend: str, host_names: int = 1) -> tuple[Master, Master]:
    """Who leads, and who waits and knows what there is."""
    first = lab.add_master("master-0")
    wait_for_routes(lab, backend)
    lab.router.say("router.start", id="eager", minimumRegisterIntervalInSeconds=1)
    second = lab.add_master("master-1")
    second.wait_for_status(f"waiting: master-0 leads, with {host_names} host names")
    return first, second


def test_of_three_that_start_at_once_exactly_one_leads(lab: Lab, shop: str) -> None:
    masters = [lab.add_master(f"master-{number}") for number in range(3)]
    wait_for_routes(lab, shop)
    leader = lab.api.leader()
    for master in masters:
        master.wait_for_status("leading" if master.name == leader else f"waiting: {leader} leads")
    assert sum(any("leading" in status for status in master.statuses) for master in masters) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_when_the_leader_dies_or_hangs_another_takes_over_and_takes_back_what_is_stale(
    lab: Lab, shop: str, how: signal.Signals
) -> None:
    other = lab.api.add_service("gone", labels={"tcp-route-sync": "1025", "http-route-sync": "gone"})["web"]
    first, second = pair(lab, shop, host_names=2)
    lab.wait_for_tcp(1025, f"{W0}:{other}")
    lab.wait_for_http("gone", f"{W0}:{other}")
    first.suspend() if how is signal.SIGSTOP else first.stop(how)
    lab.api.delete_service("gone")
    second.wait_for_status("leading")
    lab.wait_for_tcp(1025)
    lab.wait_for_http("gone")
    wait_for_routes(lab, shop)
    if how is signal.SIGSTOP:
        told = len(first.statuses)
        first.resume()
        wait_for(
            lambda: any("waiting: master-1 leads" in each for each in first.statuses[told:]), "the old one waiting"
        )
        lab.wait_for_tcp(1025)
        lab.wait_for_http("gone")
        assert not any("leading" in each for each in first.statuses[told:])
    assert lab.backends(1024).keys() == {shop}


def test_a_leader_that_is_stopped_hands_over_and_no_route_is_touched(lab: Lab, shop: str) -> None:
    first, second = pair(lab, shop)
    assert first.stop() == 0
    second.wait_for_status("leading")
    assert "master-1 leads now" in first.said()
    assert [what for _, what, _ in lab.site.api.history if what != "Upsert"] == []
    assert lab.router.count("router.unregister", "shop.apps.test") == 0
    lab.router.announce()
    wait_for_routes(lab, shop)


def test_one_that_waits_is_stopped_without_a_word(lab: Lab, shop: str) -> None:
    first, second = pair(lab, shop)
    assert second.stop() == 0
    assert lab.api.leader() == "master-0"
    assert first.alive
    wait_for_routes(lab, shop)


def test_the_last_master_that_is_stopped_takes_every_route_back(lab: Lab, shop: str) -> None:
    first, second = pair(lab, shop)
    theirs = lab.take_port(1100, "somebody")
    assert first.stop() == 0
    assert second.stop() == 0
    assert [route["port"] for route in lab.site.api.routes()] == [theirs["port"]]
    lab.wait_for_http("shop")
    assert "nobody leads after this master; the routes are taken back" in second.said()


def test_all_masters_stopped_in_the_same_moment_leave_no_route(lab: Lab, shop: str) -> None:
    for master in pair(lab, shop):
        assert master.alive
        master.signal(signal.SIGTERM)
    for master in lab.masters:
        assert master.stop() == 0
    lab.wait_for_tcp(1024)
    lab.wait_for_http("shop")


def test_a_leader_that_cannot_ask_who_is_next_leaves_the_routes(lab: Lab, shop: str) -> None:
    first = lab.add_master()
    wait_for_routes(lab, shop)
    lab.api.stop_api()
    try:
        assert first.stop() == 0
        assert lab.backends(1024).keys() == {shop}
        assert lab.router.count("router.unregister", "shop.apps.test") == 0
    finally:
        lab.api.start_api()


def test_the_same_complaint_by_another_leader_counts_on(lab: Lab, shop: str) -> None:
    lab.api.add_service("wrong", labels={"tcp-route-sync": "web"})
    first, second = pair(lab, shop)
    lab.wait_for_event("wrong", "is no port")
    assert first.stop() == 0
    second.wait_for_status("leading")
    wait_for(lambda: [event["count"] for event in lab.api.events("wrong")] == [2], "one event with a count of 2")


def test_a_lease_that_makes_no_sense_ends_nobody(lab: Lab, shop: str) -> None:
    master = lab.add_master()
    wait_for_routes(lab, shop)
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubo-cf-routes"
    lab.api.patch(path, {"spec": {"holderIdentity": "stranger", "leaseDurationSeconds": 1, "renewTime": None}})
    wait_for(lambda: lab.api.leader() == master.name, "the master leading again")
    lab.api.do("DELETE", path)
    wait_for(lambda: lab.api.leader() == master.name, "the master leading once more")
    assert lab.backends(1024).keys() == {shop}
