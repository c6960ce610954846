"""Publishing names, on the fake name server: what an endpoint's host is decides the type, and an alias stands alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.ports.dns import DnsInfo, Record
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.steps.names import publish_names, stale_names, wished_records
from kubo_sdk.testing.fakes import FakeCloud
from kubo_sdk.testing.fakes.network import FakeDns
from kubo_sdk.testing.node_contexts import sample_spec

SPEC = evolve(sample_spec(), instance_groups=())
API = f"api.{SPEC.domain}"


def endpoint(host: str) -> dict[str, Endpoint]:
    return {"api": Endpoint(name="api", host=host, port=8443)}


def published(dns: FakeDns, host: str) -> tuple[Record, ...]:
    state = SimpleNamespace(vms={}, endpoints=endpoint(host))
    context: Any = SimpleNamespace(spec=SPEC, providers=SimpleNamespace(dns=dns), state=state)
    step: Any = None
    publish_names(context, step)
    return dns.list_records()


@pytest.mark.parametrize(
    ("host", "type", "value"),
    [
        ("192.0.2.1", "A", "192.0.2.1"),
        ("2001:db8::1", "AAAA", "2001:db8::1"),
        ("lb.example.net", "CNAME", "lb.example.net"),
        ("lb.example.net.", "CNAME", "lb.example.net"),
    ],
)
def test_the_name_of_the_api_is_an_address_or_an_alias(host: str, type: str, value: str) -> None:
    assert wished_records(SPEC, {}, endpoint(host)) == (Record(name=API, type=type, values=(value,)),)


def test_a_name_that_becomes_an_alias_and_an_address_again_is_never_both() -> None:
    with FakeCloud() as cloud:
        dns = FakeDns(cloud.site(SPEC.id))
        for host, kind in (("192.0.2.1", "A"), ("lb.example.net", "CNAME"), ("192.0.2.2", "A")):
            assert published(dns, host) == (Record(name=API, type=kind, values=(host,)),)


# ---- The way back, from addresses to names. ----

WHOLE = sample_spec()
WORKER, *_ = WHOLE.instances(Role.WORKER)
HOST = WHOLE.hostname(WORKER)
REVERSE = "66.10.in-addr.arpa"


def machine(address: str) -> dict[str, Vm]:
    vm = Vm(
        id="vm-1",
        cluster=WHOLE.id,
        instance=WORKER.id,
        token="t",
        state=VmState.RUNNING,
        address=address,
        az=WORKER.az,
        provider_id="fake://1",
    )
    return {WORKER.id: vm}


def pointer(name: str, host: str = HOST) -> Record:
    return Record(name=name, type="PTR", values=(host,))


@pytest.mark.parametrize(
    ("address", "pointers"),
    [
        ("10.66.0.7", {pointer("7.0.66.10.in-addr.arpa")}),
        ("10.99.0.7", set()),
        ("2001:db8::7", {pointer("7." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa")}),
    ],
)
def test_an_address_within_a_reverse_zone_leads_back_to_its_instance(address: str, pointers: set[Record]) -> None:
    zones = (REVERSE, "8.B.D.0.1.0.0.2.ip6.arpa")
    wished = wished_records(WHOLE, machine(address), endpoint(address), zones)
    assert {record for record in wished if record.type == "PTR"} == pointers
    assert len(wished) == 2 + len(pointers)


def test_who_has_no_reverse_zones_is_asked_for_no_pointers() -> None:
    assert [record.type for record in wished_records(WHOLE, machine("10.66.0.7"), {})] == ["A"]


class ReverseDns(FakeDns):
    def info(self) -> DnsInfo:
        return DnsInfo(reverse_zones=(REVERSE,))


def test_pointers_are_published_with_the_names() -> None:
    with FakeCloud() as cloud:
        dns = ReverseDns(cloud.site(WHOLE.id))
        state = SimpleNamespace(vms=machine("10.66.0.7"), endpoints={})
        context: Any = SimpleNamespace(spec=WHOLE, providers=SimpleNamespace(dns=dns), state=state)
        step: Any = None
        publish_names(context, step)
        assert pointer(f"7.0.{REVERSE}") in dns.list_records()


def test_names_of_former_instances_and_former_addresses_are_stale() -> None:
    gone = Record(name=f"worker-9.{WHOLE.domain}", type="A", values=("10.66.0.9",))
    wished = wished_records(WHOLE, machine("10.66.0.7"), endpoint("10.66.0.7"), (REVERSE,))
    published = [gone, pointer(f"9.0.{REVERSE}", gone.name), pointer(f"5.0.{REVERSE}"), *wished]
    assert stale_names(WHOLE, published, wished) == (f"5.0.{REVERSE}", f"9.0.{REVERSE}", gone.name)


def test_an_instance_whose_machine_is_away_keeps_its_record_and_the_way_back() -> None:
    published = wished_records(WHOLE, machine("10.66.0.7"), {}, (REVERSE,))
    assert len(published) == 2
    assert stale_names(WHOLE, published, ()) == ()
