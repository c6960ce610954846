"""Services get routes, keep them while they are as they are, and lose them when they are not."""

from __future__ import annotations

import json

from .routes_lab.lab import Lab, mark
from .routes_lab.process import wait_for

W0, W1 = "10.0.16.1", "10.0.16.2"


def two_nodes(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    lab.api.add_node("w1", W1)


def test_a_labelled_service_gets_both_routes_to_every_ready_node_and_loses_them_with_the_labels(lab: Lab) -> None:
    two_nodes(lab)
    lab.api.add_node("w2", "10.0.16.3", ready=False)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    master = lab.add_master()
    lab.wait_for_tcp(1024, f"{W0}:{web}", f"{W1}:{web}")
    lab.wait_for_http("shop", f"{W0}:{web}", f"{W1}:{web}")
    assert set(lab.backends(1024).values()) == {mark("shop")}
    master.wait_for_status("leading: 1 TCP ports, 1 host names")
    lab.api.label("shop", tcp_route_sync=None, http_route_sync=None)
    lab.wait_for_tcp(1024)
    lab.wait_for_http("shop")
    wait_for(
        lambda: lab.router.count("router.unregister", "shop.apps.test") == 10, "each route unregistered five times"
    )
    assert lab.api.events("shop") == []
    journal = master.said().splitlines()
    assert journal[0] == "this master leads: it keeps the routes of Services"
    assert f"port 1024 leads to default/shop at {W0}:{web}, {W1}:{web}" in journal
    assert {"port 1024 leads to default/shop no longer", "shop.apps.test leads to default/shop no longer"} < {*journal}


def test_what_is_registered_is_what_the_routers_expect(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    web = lab.api.add_service("shop", labels={"http-route-sync": "shop"})["web"]
    lab.add_master()
    lab.wait_for_http("shop", f"{W0}:{web}")
    assert lab.router.last("shop.apps.test") == {
        "host": W0,
        "port": web,
        "uris": ["shop.apps.test"],
        "private_instance_id": f"{mark('shop')}/{W0}",
        "stale_threshold_in_seconds": 60,
        "tags": {"component": "kubo"},
    }


def test_a_service_that_is_deleted_or_changes_its_port_leaves_nothing_behind(lab: Lab) -> None:
    two_nodes(lab)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024"})["web"]
    lab.add_master()
    lab.wait_for_tcp(1024, f"{W0}:{web}", f"{W1}:{web}")
    lab.api.label("shop", tcp_route_sync="1025")
    lab.wait_for_tcp(1025, f"{W0}:{web}", f"{W1}:{web}")
    lab.wait_for_tcp(1024)
    lab.api.delete_service("shop")
    lab.wait_for_tcp(1025)
    assert lab.site.api.routes() == []


def test_another_node_port_replaces_the_old_one(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    lab.add_master()
    lab.wait_for_tcp(1024, f"{W0}:{web}")
    lab.wait_for_http("shop", f"{W0}:{web}")
    other = web + 1 if web < 32767 else web - 1
    ports = [{"name": "web", "port": 80, "nodePort": other}]
    lab.api.patch("/api/v1/namespaces/default/services/shop", {"spec": {"ports": ports}})
    lab.wait_for_tcp(1024, f"{W0}:{other}")
    lab.wait_for_http("shop", f"{W0}:{other}")


def test_annotations_give_each_port_of_a_service_its_own_routes(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    lab.add_master()
    annotations = {
        "kubo-sdk/tcp-routes": json.dumps({"web": [1024, 1025], "8080": 1026}),
        "kubo-sdk/http-routes": json.dumps({"web": "shop", "admin": "shop-admin"}),
    }
    ports = lab.api.add_service(
        "shop", {"name": "web", "port": 80}, {"name": "admin", "port": 8080}, annotations=annotations
    )
    for external, name in ((1024, "web"), (1025, "web"), (1026, "admin")):
        lab.wait_for_tcp(external, f"{W0}:{ports[name]}")
    lab.wait_for_http("shop", f"{W0}:{ports['web']}")
    lab.wait_for_http("shop-admin", f"{W0}:{ports['admin']}")
    lab.api.annotate("shop", {"kubo-sdk/tcp-routes": json.dumps({"admin": 1024})})
    lab.wait_for_tcp(1024, f"{W0}:{ports['admin']}")
    lab.wait_for_tcp(1025)
    lab.wait_for_tcp(1026)


def test_nodes_that_cannot_serve_leave_the_routes_and_come_back(lab: Lab) -> None:
    two_nodes(lab)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024", "http-route-sync": "shop"})["web"]
    lab.add_master()
    lab.wait_for_tcp(1024, f"{W0}:{web}", f"{W1}:{web}")
    lab.api.set_ready("w0", False)
    lab.wait_for_tcp(1024, f"{W1}:{web}")
    lab.wait_for_http("shop", f"{W1}:{web}")
    lab.api.set_ready("w0", True)
    lab.wait_for_tcp(1024, f"{W0}:{web}", f"{W1}:{web}")
    lab.api.cordon("w1")
    lab.wait_for_tcp(1024, f"{W0}:{web}")
    lab.api.do("DELETE", "/api/v1/nodes/w0")
    lab.wait_for_tcp(1024, f"{W1}:{web}")
    lab.api.set_ready("w1", False)
    lab.wait_for_tcp(1024)
    lab.wait_for_http("shop")
    lab.wait_for_event("shop", "no node is ready, so its routes are taken back until one is")


def test_with_a_local_traffic_policy_only_nodes_with_a_ready_endpoint_are_backends(lab: Lab) -> None:
    two_nodes(lab)
    lab.add_master()
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024"}, externalTrafficPolicy="Local")["web"]
    lab.wait_for_event("shop", "no ready node has a ready endpoint of it")
    lab.api.put_slice("shop", ["w1"])
    lab.wait_for_tcp(1024, f"{W1}:{web}")
    lab.api.put_slice("shop", ["w0", "w1"])
    lab.wait_for_tcp(1024, f"{W0}:{web}", f"{W1}:{web}")
    lab.api.put_slice("shop", ["w0"])
    lab.wait_for_tcp(1024, f"{W0}:{web}")


def test_a_router_that_starts_anew_is_told_everything_at_once_and_as_often_as_it_wants(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    web = lab.api.add_service("shop", labels={"http-route-sync": "shop"})["web"]
    lab.add_master()
    lab.wait_for_http("shop", f"{W0}:{web}")
    lab.router.announce()
    lab.wait_for_http("shop", f"{W0}:{web}")
    lab.router.say("router.start", id="q", minimumRegisterIntervalInSeconds=1, pruneThresholdInSeconds=120)
    before = lab.router.count("router.register", "shop.apps.test")
    wait_for(lambda: lab.router.count("router.register", "shop.apps.test") > before + 3, "a registration every second")
    lab.router.say("router.start", id="bad", minimumRegisterIntervalInSeconds="often")
    lab.router.say("router.start")


def test_a_route_is_kept_alive_beyond_its_ttl(lab: Lab) -> None:
    lab.api.add_node("w0", W0)
    web = lab.api.add_service("shop", labels={"tcp-route-sync": "1024"})["web"]
    lab.site.api.max_ttl = 2
    lab.add_master()
    lab.wait_for_tcp(1024, f"{W0}:{web}")
    assert lab.site.api.routes()[0]["ttl"] == 2
    wait_for(lambda: lab.site.api.routes()[0]["modification_tag"]["index"] >= 4, "the renewals")
    assert [what for _, what, _ in lab.site.api.history if what != "Upsert"] == []
