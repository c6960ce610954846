"""Record: what is none is refused where it is made, so that no provider has to."""

from __future__ import annotations

import re

import pytest

from kubo_sdk.ports.dns import Record

GOOD = [
    ("a.example", "A", "192.0.2.1"),
    ("_etcd-server._tcp.example", "SRV", "0 10 2380 etcd-0.example"),
    ("_none._tcp.example", "SRV", "0 0 0 ."),
    ("*.example", "CNAME", "lb.example.net"),
    ("text.example", "TXT", "x" * 1000),
    ("text.example", "TXT", 'naïve "quoted" \\ 東京'),
    ("text.example", "TXT", ""),
    ("six.example", "AAAA", "2001:db8::1"),
]
BAD = [
    ("", "A", "192.0.2.1", "is no full name"),
    ("a.example.", "A", "192.0.2.1", "none at the end"),
    ("a example", "A", "192.0.2.1", "is no full name"),
    ("a.example\n", "A", "192.0.2.1", "is no full name"),
    (f"{'a' * 64}.example", "A", "192.0.2.1", "is no full name"),
    ("a.example", "MX", "10 mail.example", "'MX' is no type of record here; use one of A, AAAA, CNAME, TXT, SRV, PTR"),
    ("a.example", "A", "192.0.2.1\n@ IN NS evil.", "is no IPv4 address"),
    ("a.example", "A", "2001:db8::1", "is no IPv4 address"),
    ("a.example", "CNAME", "b.example.", "none at the end"),
    ("a.example", "PTR", "b c", "is no full name"),
    ("a.example", "SRV", "b.example", "is no service"),
    ("a.example", "TXT", "one\ntwo", "cannot be printed"),
]


@pytest.mark.parametrize(("name", "type", "value"), GOOD)
def test_what_name_servers_take_is_a_record(name: str, type: str, value: str) -> None:
    assert Record(name=name, type=type, values=(value,)).ttl == 60


@pytest.mark.parametrize(("name", "type", "value", "told"), BAD)
def test_what_is_no_record_cannot_be_made(name: str, type: str, value: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Record(name=name, type=type, values=(value,))


@pytest.mark.parametrize("ttl", [-1, 2**31])
def test_a_time_to_live_has_its_limits(ttl: int) -> None:
    with pytest.raises(ValueError, match="is no time to live"):
        Record(name="a.example", type="A", values=("192.0.2.1",), ttl=ttl)


def test_a_record_has_a_value_and_an_alias_has_one() -> None:
    with pytest.raises(ValueError, match=re.escape("A a.example has no value")):
        Record(name="a.example", type="A", values=())
    with pytest.raises(ValueError, match="an alias has one"):
        Record(name="a.example", type="CNAME", values=("b.example", "c.example"))
