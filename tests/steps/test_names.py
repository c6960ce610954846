"""Publishing names, on the fake name server: what an endpoint's host is decides the type, and an alias stands alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.steps.names import publish_names, wished_records
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
