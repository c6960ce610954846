"""What a user, another owner or an outage may do, and what the Service, the status and the routes say then."""

from __future__ import annotations

import attrs
import pytest

from kubo_sdk_cfrouting.agent.nats_protocol import Message

from .routes_lab.lab import Lab, mark
from .routes_lab.nats_server import NatsServer, Router
from .routes_lab.process import wait_for

W0 = "10.0.16.1"
WEB = {"name": "web", "port": 80}


@pytest.fixture
def node(lab: Lab) -> Lab:
    lab.api.add_node("w0", W0)
    return lab


@attrs.frozen
class Wrong:
    labels: dict[str, str] = attrs.field(factory=dict)
    annotations: dict[str, str] = attrs.field(factory=dict)
    ports: tuple[dict[str, object], ...] = (WEB,)
    spec: dict[str, str] = attrs.field(factory=dict)


WRONG = {
    "no-port": Wrong({"tcp-route-sync": "web"}),
    "outside": Wrong({"tcp-route-sync": "9000"}),
    "the-api": Wrong({"tcp-route-sync": "8443"}),
    "no-name": Wrong({"http-route-sync": "a.b_c"}),
    "udp": Wrong({"tcp-route-sync": "1024"}, ports=({"name": "dns", "port": 53, "protocol": "UDP"},)),
    "inside": Wrong({"tcp-route-sync": "1024"}, spec={"type": "ClusterIP"}),
    "many": Wrong({"tcp-route-sync": "1024"}, ports=(WEB, {"name": "admin", "port": 8080})),
    "no-json": Wrong(annotations={"kubo-sdk/tcp-routes": "web: 1024"}),
    "unknown": Wrong(annotations={"kubo-sdk/http-routes": '{"db": "shop"}'}),
}
SAID = {
    "no-port": ("BadRoute", "label tcp-route-sync: 'web' is no port; write a number from 1 to 65535"),
    "outside": ("RouteRefused", "port 9000 is none that the router group default-tcp has (1024-1123,8443,20000-40000)"),
    "the-api": ("RouteRefused", "port 8443 of the router group default-tcp leads to the API of this cluster"),
    "no-name": ("BadRoute", "label http-route-sync: 'a.b_c' is no host name"),
    "udp": ("RouteRefused", "port dns is UDP; the routers carry TCP only, take the route away"),
    "inside": ("RouteRefused", "a Service of type ClusterIP has no node ports; make it one of type NodePort"),
    "many": ("BadRoute", "the Service has 2 ports (web, admin); say which one with the annotation kubo-sdk/tcp-routes"),
    "no-json": ("BadRoute", "annotation kubo-sdk/tcp-routes: 'web: 1024' is no JSON; write an object of ports"),
    "unknown": ("BadRoute", "there is no port 'db'; ports of the Service: web"),
}


def test_whatever_is_wrong_with_a_service_is_told_once_on_it_and_costs_no_other_its_route(node: Lab) -> None:
    for name, wrong in WRONG.items():
        node.api.add_service(name, *wrong.ports, labels=wrong.labels, annotations=wrong.annotations, **wrong.spec)
    web = node.api.add_service("good", labels={"tcp-route-sync": "1025"})["web"]
    master = node.add_master()
    node.wait_for_tcp(1025, f"{W0}:{web}")
    for name, (reason, text) in SAID.items():
        event = node.wait_for_event(name, text)
        assert (event["reason"], event["type"]) == (reason, "Warning")
    master.wait_for_status(f"{len(WRONG)} Services cannot have theirs")
    passes = node.site.api.calls["GET /routing/v1/tcp_routes"]
    wait_for(lambda: node.site.api.calls["GET /routing/v1/tcp_routes"] > passes + 3, "more passes")
    assert all(event["count"] == 1 for name in WRONG for event in node.api.events(name))
    assert node.api.events("good") == []
    assert [route["port"] for route in node.site.api.routes()] == [1025]


def test_a_service_put_right_gets_its_route(node: Lab) -> None:
    web = node.api.add_service("shop", labels={"tcp-route-sync": "9000"})["web"]
    node.add_master()
    node.wait_for_event("shop", "port 9000 is none")
    node.api.label("shop", tcp_route_sync="1024")
    node.wait_for_tcp(1024, f"{W0}:{web}")


def test_the_port_of_another_owner_is_left_alone_until_it_is_free(node: Lab) -> None:
    theirs = node.take_port(1024, "kubo:lab/other:service:default/x")
    web = node.api.add_service("shop", labels={"tcp-route-sync": "1024"})["web"]
    node.add_master()
    event = node.wait_for_event("shop", "port 1024 of the router group default-tcp is taken by kubo:lab/other:service")
    assert event["reason"] == "RouteTaken"
    assert set(node.backends(1024)) == {"192.0.2.7:80"}
    node.site.api.save({**theirs, "ttl": 1})
    node.wait_for_tcp(1024, f"{W0}:{web}")


def test_of_two_services_with_one_port_the_holder_keeps_it_and_the_other_inherits_it(node: Lab) -> None:
    first = node.api.add_service("first", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    node.add_master()
    node.wait_for_tcp(1024, f"{W0}:{first}")
    node.wait_for_http("shop", f"{W0}:{first}")
    second = node.api.add_service("second", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    node.wait_for_event("second", "port 1024 is taken by the Service default/first; ask for another")
    node.wait_for_event("second", "the host name shop.apps.test is taken by the Service default/first")
    node.api.delete_service("first")
    node.wait_for_tcp(1024, f"{W0}:{second}")
    node.wait_for_http("shop", f"{W0}:{second}")
    assert set(node.backends(1024).values()) == {mark("second")}


def test_the_host_name_of_another_owner_is_left_alone_until_it_is_free(node: Lab) -> None:
    theirs = {"host": "192.0.2.7", "port": 80, "uris": ["shop.apps.test"], "app": "some-app"}
    web = node.api.add_service("other", labels={"http-route-sync": "other"})["web"]
    node.add_master()
    node.wait_for_http("other", f"{W0}:{web}")
    node.router.say("router.register", **theirs, private_instance_id="i-1")
    web = node.api.add_service("shop", labels={"http-route-sync": "shop"})["web"]
    node.wait_for_event("shop", "the host name shop.apps.test is taken by some-app; ask for another")
    assert node.router.backends("shop.apps.test") == set()
    node.router.say("router.unregister", **theirs, private_instance_id="i-1")
    node.wait_for_http("shop", f"{W0}:{web}")


def test_noise_on_nats_harms_nobody(node: Lab) -> None:
    web = node.api.add_service("shop", labels={"http-route-sync": "shop"})["web"]
    master = node.add_master()
    node.wait_for_http("shop", f"{W0}:{web}")
    noise = [b"", b"x.apps.test", b'["x.apps.test"]', b'{"uris": 7, "x": ".apps.test"}', b"\xff.apps.test"]
    noise += [b'{"uris": ["x.apps.test"], "port": "many"}', b'{"uris": [["x.apps.test"]], "host": {}}', b"[" * 99_999]
    for subject in ("router.register", "router.unregister", "router.start"):
        node.router.publish(*(Message(subject, "", payload) for payload in noise))
    other = node.api.add_service("store", labels={"http-route-sync": "store"})["web"]
    node.wait_for_http("store", f"{W0}:{other}")
    assert master.alive


def test_without_nats_a_wish_for_an_http_route_is_refused_and_tcp_routes_are_there(node: Lab) -> None:
    web = node.api.add_service("shop", labels={"http-route-sync": "shop", "tcp-route-sync": "1024"})["web"]
    node.add_master(nats=[])
    node.wait_for_tcp(1024, f"{W0}:{web}")
    node.wait_for_event("shop", "this cluster has no HTTP routes")


def test_while_the_routing_api_is_away_http_routes_change_and_tcp_routes_are_right_when_it_is_back(node: Lab) -> None:
    old = node.api.add_service("old", labels={"tcp-route-sync": "1024"})["web"]
    master = node.add_master()
    node.wait_for_tcp(1024, f"{W0}:{old}")
    node.site.stop_api()
    master.wait_for_status("the routing API")
    node.api.delete_service("old")
    new = node.api.add_service("new", labels={"tcp-route-sync": "1025", "http-route-sync": "new"})["web"]
    node.wait_for_http("new", f"{W0}:{new}")
    node.site.start_api()
    node.wait_for_tcp(1025, f"{W0}:{new}")
    node.wait_for_tcp(1024)
    wait_for(lambda: "does not answer" not in master.status, "a status without complaint")


def test_a_uaa_that_is_away_costs_time_and_nothing_else(node: Lab) -> None:
    node.site.uaa_server.stop()
    web = node.api.add_service("shop", labels={"tcp-route-sync": "1024"})["web"]
    master = node.add_master()
    master.wait_for_status("the UAA")
    node.site.uaa_server.start()
    node.wait_for_tcp(1024, f"{W0}:{web}")
    wait_for(lambda: "the UAA" not in master.status, "a status without complaint")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"group": "default-http"}, "the router group default-http is of type http and not tcp"),
        ({"group": "gone"}, "there is no router group gone"),
    ],
)
def test_a_router_group_that_is_wrong_is_told_in_one_sentence(node: Lab, settings: dict[str, str], said: str) -> None:
    node.api.add_service("shop", labels={"tcp-route-sync": "1024"})
    node.add_master(settings=settings).wait_for_status(said)


def test_a_client_without_the_scope_to_write_is_told(node: Lab) -> None:
    kubo = node.site.uaa.clients["kubo"]
    node.site.uaa.clients["kubo"] = attrs.evolve(kubo, scopes=kubo.scopes[:2])
    node.api.add_service("shop", labels={"tcp-route-sync": "1024"})
    master = node.add_master()
    master.wait_for_status("its authorities lack routing.routes.write; add them in the UAA")
    # This is what `kubo status` looks for.
    assert master.status.startswith("! leading: ")


def test_http_routes_move_to_another_server_of_nats_and_survive_all_of_them(node: Lab, nats_server: NatsServer) -> None:
    first = NatsServer(node.directory / "first", nats_server.files).start()
    second = NatsServer(node.directory / "second", nats_server.files)
    routers: list[Router] = []
    try:
        web = node.api.add_service("shop", labels={"http-route-sync": "shop", "tcp-route-sync": "1024"})["web"]
        routers.append(Router(first))
        master = node.add_master(nats=[first, second])
        wait_for(lambda: routers[0].backends("shop.apps.test") == {f"{W0}:{web}"}, "the route on the first")
        second.start()
        routers.append(Router(second))
        first.stop()
        wait_for(lambda: routers[1].backends("shop.apps.test") == {f"{W0}:{web}"}, "the route on the second")
        second.stop()
        master.wait_for_status("NATS")
        node.api.label("shop", tcp_route_sync="1025")
        node.wait_for_tcp(1025, f"{W0}:{web}")
        routers[0].routes.clear()
        first.start()
        wait_for(lambda: routers[0].backends("shop.apps.test") == {f"{W0}:{web}"}, "the route on the first again")
    finally:
        for router in routers:
            router.close()
        first.stop()
        second.stop()


def test_while_the_kubernetes_api_is_away_routes_live_on_and_afterwards_it_is_followed_again(node: Lab) -> None:
    web = node.api.add_service("shop", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    node.site.api.max_ttl = 3
    master = node.add_master()
    node.wait_for_tcp(1024, f"{W0}:{web}")
    node.wait_for_http("shop", f"{W0}:{web}")
    node.api.stop_api()
    try:
        master.wait_for_status("holding: 1 TCP ports, 1 host names")
        renewed = node.site.api.routes()[0]["modification_tag"]["index"]
        wait_for(lambda: node.site.api.routes()[0]["modification_tag"]["index"] > renewed + 2, "renewals all the same")
        said = node.router.count("router.register", "shop.apps.test")
        node.router.announce()
        wait_for(lambda: node.router.count("router.register", "shop.apps.test") > said, "registrations all the same")
    finally:
        node.api.start_api()
    master.wait_for_status("leading")
    node.api.label("shop", tcp_route_sync="1025")
    node.wait_for_tcp(1025, f"{W0}:{web}")
    assert [what for _, what, _ in node.site.api.history if what == "Prune"] == []
    # The server that came back knows nothing that was before it: 410 Gone.
    assert "the watch of /api/v1/services ended: too old resource version" in master.said()
