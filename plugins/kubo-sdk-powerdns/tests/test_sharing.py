"""What others have on the server is theirs: zones above, zones made by hand, records taken, names hidden by a zone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.errors import Conflict, ProviderError
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, error_of
from kubo_sdk.testing.node_contexts import sample_spec, stranger_spec
from kubo_sdk_powerdns.serving import NotServed

from .lab.server import PdnsServer
from .lab.site import REVERSE, PdnsSite

SPEC = sample_spec()


@pytest.fixture
def site(server: PdnsServer, tmp_path: Path) -> Iterator[PdnsSite]:
    """Zone and server-wide leftovers go with the test."""
    site = PdnsSite.make(server, tmp_path / "site", "team.corp.example")
    yield site
    for zone in site.call("GET", "/zones"):
        site.call("DELETE", f"/zones/{zone['id']}")


def connected(site: PdnsSite, transport: str, **more: Any) -> Dns:
    """Connected for `SPEC`; by updates the zone is made first, since they cannot."""
    if transport == "update":
        site.make_zone()
        site.allow_updates()
        return site.connect(SPEC, {**site.by_update(), **more})
    return site.connect(SPEC, {**site.by_api(), **more})


def host(name: str = "worker-0.contract.team.corp.example", *values: str, **more: Any) -> Record:
    return Record(name=name, type="A", values=values or ("10.66.0.1",), **more)


def test_a_missing_zone_is_made_and_served_with_a_name_server_and_a_serial(site: PdnsSite) -> None:
    dns = connected(site, "api")
    assert dns.list_records() == ()
    dns.put_record(host())
    assert site.answers(site.zone, "NS") == ["ns.team.corp.example."]
    assert site.answers("ns.team.corp.example", "A") == ["127.0.0.1"]
    assert site.answers(host().name, "A") == ["10.66.0.1"]
    before = site.serial()
    dns.put_record(host(host().name, "10.66.0.2"))
    assert site.serial() > before
    dns.delete_record(host().name, "A")
    assert site.serial() > before + 1
    assert set(site.rrsets()) == {(site.zone, "NS"), ("ns.team.corp.example", "A")}


def test_the_name_servers_of_a_zone_that_is_made_can_be_named(site: PdnsSite) -> None:
    dns = site.connect(SPEC, site.by_api(zone_nameservers=["ns1.example.net", "ns2.example.net"]))
    dns.put_record(host())
    assert site.answers(site.zone, "NS") == ["ns1.example.net.", "ns2.example.net."]


def test_a_zone_is_not_made_where_it_would_hide_records_of_the_zone_above(site: PdnsSite) -> None:
    site.make_zone("corp.example")
    site.replace("printer.team.corp.example", "A", "192.0.2.9", zone="corp.example")
    error = error_of(lambda: connected(site, "api").put_record(host()), ProviderError)
    assert_is_final(error)
    assert "would hide printer.team.corp.example" in str(error)
    assert site.answers("printer.team.corp.example", "A") == ["192.0.2.9"]
    assert [zone["name"] for zone in site.call("GET", "/zones")] == ["corp.example."]


def test_a_zone_is_made_below_one_that_has_nothing_there(site: PdnsSite) -> None:
    site.make_zone("corp.example")
    site.replace("team.corp.example", "NS", "ns.example.net.", zone="corp.example")
    connected(site, "api").put_record(host())
    assert site.answers(host().name, "A") == ["10.66.0.1"]


@pytest.mark.parametrize("transport", ["api", "update"])
def test_serials_move_in_a_zone_that_was_made_by_hand(site: PdnsSite, transport: str) -> None:
    if transport == "api":
        site.make_zone(soa_edit_api="", account="bob", kind="Master")
    dns = connected(site, transport)
    before = site.serial()
    dns.put_record(host())
    moved = site.serial()
    assert moved > before
    dns.delete_record(host().name, "A")
    assert site.serial() > moved
    if transport == "api":
        zone = site.call("GET", f"/zones/{site.zone}.?rrsets=false")
        assert (zone["account"], zone["kind"]) == ("bob", "Master"), "nothing else about it has changed"


@pytest.mark.parametrize("transport", ["api", "update"])
def test_a_record_changed_or_deleted_behind_our_back_is_seen_and_put_right(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport)
    wished = {host(), Record(name=f"api.contract.{site.zone}", type="CNAME", values=("lb.example.net",))}
    for record in wished:
        dns.put_record(record)
    site.replace(host().name, "A", "192.0.2.66")
    site.replace(f"api.contract.{site.zone}", "CNAME")
    assert dns.list_records() == (host(host().name, "192.0.2.66", ttl=300),)
    for record in wished:
        dns.put_record(record)
    assert set(dns.list_records()) == wished
    assert site.answers(host().name, "A") == ["10.66.0.1"]


@pytest.mark.parametrize("transport", ["api", "update"])
def test_a_record_whose_mark_is_gone_is_touched_no_more(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport)
    dns.put_record(host())
    site.replace(f"_kubo-a.{host().name}", "TXT")
    assert dns.list_records() == ()
    error = error_of(lambda: dns.put_record(host(host().name, "10.66.0.9")), Conflict)
    assert "was not made by kubo" in str(error)
    dns.delete_record(host().name, "A")
    assert site.answers(host().name, "A") == ["10.66.0.1"]


@pytest.mark.parametrize("transport", ["api", "update"])
def test_a_conflict_names_the_cluster_that_has_the_record(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport)
    stranger = site.connect(stranger_spec(), site.by_api() if transport == "api" else site.by_update())
    stranger.put_record(host())
    error = error_of(lambda: dns.put_record(host()), Conflict)
    assert_is_one_sentence(error)
    assert f"belongs to the cluster {stranger_spec().id}" in str(error)


def test_comments_of_others_are_neither_taken_for_records_nor_lost(site: PdnsSite) -> None:
    """Servers before 4.9.2 tell them wherever one name is asked for."""
    site.make_zone()
    site.replace(f"by-hand.{site.zone}", "A", "192.0.2.7", comments=[{"content": "do not touch", "account": "bob"}])
    before = site.rrsets()
    dns = connected(site, "api")
    dns.put_record(host())
    assert dns.list_records() == (host(),)
    dns.delete_record(host().name, "A")
    assert site.rrsets() == before


@pytest.mark.parametrize("transport", ["api", "update"])
def test_a_wildcard_is_a_record_like_others_and_hides_no_free_name(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport)
    everything = host(f"*.contract.{site.zone}")
    dns.put_record(everything)
    dns.put_record(host())  # answers to its name come from the wildcard until then
    assert set(dns.list_records()) == {everything, host()}
    assert site.answers(f"anything.contract.{site.zone}", "A") == ["10.66.0.1"]
    for record in (everything, host()):
        dns.delete_record(record.name, "A")
    assert dns.list_records() == ()


@pytest.mark.parametrize("transport", ["api", "update"])
def test_pointers_go_to_the_reverse_zone_and_only_there(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport, reverse_zones=[REVERSE])
    if transport == "update":
        site.make_zone(REVERSE)
        site.allow_updates(REVERSE)
    assert dns.info().reverse_zones == (REVERSE,)
    pointer = Record(name=f"1.0.{REVERSE}", type="PTR", values=(host().name,))
    dns.put_record(host())
    dns.put_record(pointer)
    assert set(dns.list_records()) == {host(), pointer}
    assert site.answers(pointer.name, "PTR") == [f"{host().name}."]
    dns.delete_record(pointer.name, "PTR")
    assert dns.list_records() == (host(),)
    outside = Record(name="1.0.99.10.in-addr.arpa", type="PTR", values=(host().name,))
    assert "is outside of" in str(error_of(lambda: dns.put_record(outside), ProviderError))
    dns.delete_record(outside.name, "PTR")


@pytest.mark.parametrize("transport", ["api", "update"])
def test_what_is_not_served_is_not_published(site: PdnsSite, transport: str) -> None:
    """Somebody else's zone stands in front of ours, so that nobody ever gets to see what we write."""
    dns = connected(site, transport, serve_timeout=1.0)
    site.make_zone(f"contract.{site.zone}")
    error = error_of(lambda: dns.put_record(host()), NotServed)
    assert "still answers" in str(error)
    assert dns.list_records() == ()


def test_names_that_cannot_be_marked_are_refused(site: PdnsSite) -> None:
    dns = connected(site, "api")
    long = ".".join(["a" * 60] * 3 + ["b" * 50, site.zone])
    for name in (f"_kubo-a.host.{site.zone}", f"a.*.{site.zone}", long):
        error = error_of(lambda name=name: dns.put_record(host(name)), ProviderError)
        assert_is_final(error)
        assert_is_one_sentence(error)
