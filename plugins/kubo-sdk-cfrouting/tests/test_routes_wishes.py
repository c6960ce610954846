"""What a Service asks for, and what is wrong with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk_cfrouting.agent.routes_objects import Port, node_of, service_of, slice_of
from kubo_sdk_cfrouting.agent.routes_wishes import BAD, REFUSED, wishes_of

from .routes_lab.services import WEB, service

ADMIN = Port("admin", 8080, "TCP", 30081)
DNS = Port("dns", 53, "UDP", 30053)


def test_a_label_is_for_the_only_tcp_port_whatever_else_the_service_has() -> None:
    wishes = wishes_of(service("shop", DNS, WEB, tcp_label="9000", http_label="Shop"))
    assert [(wish.port, wish.node_port) for wish in wishes.tcp] == [(9000, 30080)]
    assert [(wish.name, wish.node_port) for wish in wishes.http] == [("shop", 30080)]
    assert wishes.complaints == ()


def test_an_annotation_says_it_for_each_port_by_name_or_number() -> None:
    tcp, http = json.dumps({"web": [9000, "9001"], "8080": 9002}), json.dumps({"web": ["shop", "store"]})
    wishes = wishes_of(service("shop", WEB, ADMIN, tcp_annotation=tcp, http_annotation=http))
    assert [(wish.port, wish.node_port) for wish in wishes.tcp] == [(9000, 30080), (9001, 30080), (9002, 30081)]
    assert [(wish.name, wish.node_port) for wish in wishes.http] == [("shop", 30080), ("store", 30080)]
    assert wishes.complaints == ()


def test_the_same_wish_twice_is_one() -> None:
    wishes = wishes_of(service(tcp_label="9000", tcp_annotation='{"web": 9000, "80": [9000]}'))
    assert len(wishes.tcp) == 1


@pytest.mark.parametrize(
    ("asked", "reason", "said"),
    [
        (service(tcp_label="web"), BAD, "label tcp-route-sync: 'web' is no port; write a number from 1 to 65535"),
        (service(tcp_label=""), BAD, "'' is no port"),
        (service(tcp_label="0"), BAD, "'0' is no port"),
        (service(tcp_label="70000"), BAD, "'70000' is no port"),
        (service(tcp_label="9" * 63), BAD, "is no port"),
        (service(tcp_label="٣"), BAD, "is no port"),
        (service(http_label="a.b"), BAD, "label http-route-sync: 'a.b' is no host name; write one word"),
        (service(http_label="-a"), BAD, "'-a' is no host name"),
        (service(http_label="a" * 64), BAD, "is no host name"),
        (
            service("s", WEB, ADMIN, tcp_label="9000"),
            BAD,
            "has 2 ports (web, admin); say which one with the annotation",
        ),
        (service("s", DNS, tcp_label="9000"), REFUSED, "port dns is UDP; the routers carry TCP only"),
        (service(type_="ClusterIP", tcp_label="9000"), REFUSED, "type ClusterIP has no node ports; make it one of"),
        (service("s", Port("", 80, "TCP", 0), tcp_label="9000"), REFUSED, "port 80 has no node port"),
        (service(tcp_annotation="9000"), BAD, "annotation kubo-sdk/tcp-routes: '9000' is no JSON object"),
        (service(tcp_annotation="{"), BAD, "'{' is no JSON; write an object of ports"),
        (service(tcp_annotation='{"db": 9000}'), BAD, "there is no port 'db'; ports of the Service: web"),
        (service(tcp_annotation='{"web": true}'), BAD, "'true' is no port"),
        (service(tcp_annotation='{"web": {"a": 1}}'), BAD, """'{"a": 1}' is no port"""),
        (service(tcp_annotation='{"web": 1e400}'), BAD, "'Infinity' is no port"),
        (service(http_annotation='{"web": 7}'), BAD, "'7' is no host name"),
        (service(tcp_annotation="[" * 100_000), BAD, "is no JSON"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence_and_asks_for_nothing(asked, reason: str, said: str) -> None:
    wishes = wishes_of(asked)
    assert (wishes.tcp, wishes.http) == ((), ())
    (complaint,) = wishes.complaints
    assert complaint.reason == reason
    assert said in complaint.text


def test_what_is_right_is_had_although_something_beside_it_is_wrong() -> None:
    wishes = wishes_of(service(tcp_annotation='{"web": [9000, "x"], "nil": 1}', http_label="_"))
    assert [wish.port for wish in wishes.tcp] == [9000]
    assert len(wishes.complaints) == 3


@given(st.text(), st.text(), st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_nothing_a_user_writes_ends_the_agent(label: str, host: str, raw: str, value: object) -> None:
    annotation = json.dumps({"web": value, raw: 1})
    wishes = wishes_of(service(tcp_label=label, http_label=host, tcp_annotation=raw, http_annotation=annotation))
    assert all(0 < wish.port < 65536 for wish in wishes.tcp)
    assert all("." not in wish.name for wish in wishes.http)


METADATA = {"namespace": "default", "name": "shop", "labels": {"tcp-route-sync": "9000"}}


def test_only_a_service_that_asks_for_something_and_is_not_about_to_go_is_kept() -> None:
    assert service_of({"metadata": {"namespace": "default", "name": "shop"}}) is None
    assert service_of({"metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}}) is None
    found = service_of({"metadata": METADATA, "spec": {"externalTrafficPolicy": "Local"}})
    assert found is not None
    assert found.local


def test_a_node_is_reduced_to_where_it_is_and_whether_it_can_serve() -> None:
    addresses = [
        {"type": "ExternalIP", "address": "192.0.2.1"},
        {"type": "InternalIP", "address": "fd00::1"},
        {"type": "InternalIP", "address": "10.0.0.1"},
    ]
    status = {"addresses": addresses, "conditions": [{"type": "Ready", "status": "True"}]}
    node = node_of({"metadata": {"name": "w0"}, "status": status})
    assert (node.address, node.ready, node.leaving) == ("10.0.0.1", True, False)
    assert node_of({"metadata": {"name": "w0"}, "spec": {"unschedulable": True}, "status": status}).leaving
    assert not node_of({"metadata": {"name": "w0"}}).ready
    label = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    assert node_of({"metadata": {"name": "w0", "labels": label}}).leaving


def test_a_slice_tells_the_nodes_of_ready_endpoints_in_both_versions_of_the_api() -> None:
    metadata = {"namespace": "default", "name": "shop-1", "labels": {"kubernetes.io/service-name": "shop"}}
    endpoints = [
        {"nodeName": "w0", "conditions": {"ready": True}},
        {"topology": {"kubernetes.io/hostname": "w1"}, "conditions": {}},
        {"nodeName": "w2", "conditions": {"ready": False, "serving": True, "terminating": True}},
        {"conditions": {"ready": True}},
    ]
    assert slice_of({"metadata": metadata, "endpoints": endpoints}).nodes == {"w0", "w1"}
    assert slice_of({"metadata": metadata, "endpoints": None}).nodes == frozenset()
