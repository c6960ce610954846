"""Servers that are away, emptied, full, killed, or not what they seem: the right state in the end, or one sentence."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import AuthError, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, at_once, error_of
from kubo_sdk.testing.contracts.dns_sharing import many_records
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk_powerdns.busy import Failing
from kubo_sdk_powerdns.update.client import NoZone

from .lab.fronts import changing_front, self_signed, tls_front
from .lab.killed import put_until_killed
from .lab.server import API_KEY, PdnsServer
from .lab.site import PdnsSite

SPEC = sample_spec()
BOTH = pytest.mark.parametrize("transport", ["api", "update"])


@pytest.fixture
def site(own_site: PdnsSite) -> PdnsSite:
    own_site.make_zone()
    own_site.allow_updates()
    return own_site


def connected(site: PdnsSite, transport: str, **more: Any) -> Dns:
    options = site.by_api() if transport == "api" else site.by_update()
    return site.connect(SPEC, {**options, **more})


def host(site: PdnsSite, value: str = "10.66.0.1") -> Record:
    return Record(name=f"worker-0.contract.{site.zone}", type="A", values=(value,))


def assert_every_mark_has_its_record(site: PdnsSite) -> None:
    found = site.rrsets()
    marked = {(match[2], match[1].upper()) for name, _ in found if (match := re.match(r"_kubo-(\w+)\.(.*)", name))}
    assert marked == {key for key in found if key[1] != "NS" and not key[0].startswith("_kubo-")}


@BOTH
def test_a_server_killed_while_records_are_put_has_each_record_with_its_mark(site: PdnsSite, transport: str) -> None:
    dns, wished = connected(site, transport, serve_timeout=1.0), many_records(f"contract.{site.zone}")
    last = wished[len(wished) // 2]

    def put(record: Record) -> bool:
        if record is last:
            site.server.stop()
        try:
            dns.put_record(record)
        except Unavailable as error:
            assert_is_one_sentence(error)
            return False
        return True

    assert not dict(zip(wished, at_once(put, wished), strict=True))[last]
    site.server.start()
    assert_every_mark_has_its_record(site)
    for record in wished:
        dns.put_record(record)
    assert set(dns.list_records()) == set(wished)


@BOTH
def test_a_director_killed_while_it_puts_records_leaves_none_half_done(site: PdnsSite, transport: str) -> None:
    spec = evolve(SPEC, zone=site.zone)
    base = many_records(spec.domain)
    wished = [evolve(record, name=f"part-{part}.{record.name}") for part in range(10) for record in base]
    options = site.by_api() if transport == "api" else site.by_update()
    put_until_killed(options, spec, site.directory, wished, lambda: len(site.rrsets()) > 20)
    assert_every_mark_has_its_record(site)
    dns = connected(site, transport)
    there = set(dns.list_records())
    assert there < set(wished)
    for record in wished[: len(there) + 5]:
        dns.put_record(record)
    assert set(dns.list_records()) == set(wished[: len(there) + 5])


@BOTH
def test_a_server_that_is_away_is_one_sentence_and_worth_another_try(site: PdnsSite, transport: str) -> None:
    dns = connected(site, transport)
    site.server.stop()
    for call in (dns.list_records, lambda: dns.put_record(host(site)), lambda: dns.delete_record(host(site).name, "A")):
        error = error_of(call, Unavailable)
        assert_is_one_sentence(error)
        assert error.retry_after is not None
        assert "does not answer" in str(error)


def test_a_database_that_was_emptied_is_filled_again_over_the_api(site: PdnsSite) -> None:
    dns = connected(site, "api")
    dns.put_record(host(site))
    site.server.stop()
    site.server.make_database()
    site.server.start()
    assert dns.list_records() == ()
    dns.put_record(host(site))
    assert site.answers(host(site).name, "A") == ["10.66.0.1"]
    assert dns.list_records() == (host(site),)


def test_a_zone_that_is_gone_is_one_sentence_over_updates_and_nothing_to_list_or_delete(site: PdnsSite) -> None:
    dns = connected(site, "update")
    dns.put_record(host(site))
    site.drop_zone()
    assert dns.list_records() == ()
    dns.delete_record(host(site).name, "A")
    error = error_of(lambda: dns.put_record(host(site)), NoZone)
    assert_is_final(error)
    assert f"has no zone {site.zone}." in str(error)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience with a server that fails, where it is known to go on failing."""
    monkeypatch.setattr("kubo_sdk_powerdns.busy.BUSY_SECONDS", 0.5)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "kubo-test", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@BOTH
def test_a_full_disk_is_one_sentence_and_what_was_there_is_served(
    small_disk: Path, tmp_path: Path, transport: str, hurried: None
) -> None:  # fmt: skip
    server = PdnsServer(small_disk / "pdns").start()
    try:
        site = PdnsSite.make(server, tmp_path / "site", "full.example")
        site.make_zone()
        site.allow_updates()
        dns = connected(site, transport)
        dns.put_record(host(site))
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"x" * 2**20)
        text = Record(name=f"text.contract.{site.zone}", type="TXT", values=("x" * 5000,))
        with pytest.raises((Failing, QuotaExceeded)) as raised:
            dns.put_record(text)
        assert_is_one_sentence(raised.value)
        assert "disk" in str(raised.value)
        assert site.answers(host(site).name, "A") == ["10.66.0.1"]
        assert dns.list_records() == (host(site),)
        ballast.unlink()
        dns.put_record(text)
        assert set(dns.list_records()) == {host(site), text}
    finally:
        server.stop()


def test_a_name_server_that_does_not_answer_is_told_apart_from_the_api(site: PdnsSite) -> None:
    dns = site.connect(SPEC, {"api": site.api_options(), "name_servers": ["127.0.0.1:1"], "serve_timeout": 0.5})
    error = error_of(lambda: dns.put_record(host(site)), Unavailable)
    assert_is_one_sentence(error)
    assert "is written, but" in str(error)
    assert "127.0.0.1:1" in str(error)
    assert dns.list_records() == (host(site),)


def test_a_server_that_has_another_id_is_one_sentence(site: PdnsSite) -> None:
    error = error_of(site.connect(SPEC, site.by_api(server_id="ns1")).list_records, ProviderError)
    assert_is_final(error)
    assert "set server_id to what it has, which is localhost" in str(error)


def test_the_zone_of_another_primary_is_not_written(site: PdnsSite, hurried: None) -> None:
    site.drop_zone()
    site.call("POST", "/zones", {"name": f"{site.zone}.", "kind": "Slave", "masters": ["127.0.0.9"]})
    error = error_of(lambda: connected(site, "api").put_record(host(site)), ProviderError)
    assert_is_final(error)
    assert "is only secondary for zone own.example., which it copies from 127.0.0.9" in str(error)
    site.allow_updates()
    error = error_of(lambda: connected(site, "update").put_record(host(site)), Failing)
    assert "not merely secondary" in str(error)
    assert site.call("GET", f"/zones/{site.zone}.")["rrsets"] == []


@pytest.mark.parametrize("version", ["4.6.4", "3.4.11"])
def test_a_server_that_is_too_old_is_one_sentence(site: PdnsSite, version: str) -> None:
    with changing_front(
        site.server, lambda body: re.sub(rb'("version": ?")[^"]*', rb"\g<1>" + version.encode(), body)
    ) as url:
        error = error_of(site.connect(SPEC, site.by_api(url=url)).list_records, ProviderError)
    assert_is_final(error)
    assert f"is version {version}, which is too old; upgrade it to 4.7 or newer" in str(error)


@pytest.mark.parametrize("version", ["4.7.0", "5.1.4", "10.0.0-rc1", "0.0.1234.gabcdef", "unknown"])
def test_newer_servers_and_builds_without_a_number_are_accepted(site: PdnsSite, version: str) -> None:
    with changing_front(
        site.server, lambda body: re.sub(rb'("version": ?")[^"]*', rb"\g<1>" + version.encode(), body)
    ) as url:
        assert site.connect(SPEC, site.by_api(url=url)).list_records() == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: body.replace(b"authoritative", b"recursor"), "is recursor and keeps no zones"),
        (lambda body: b"<html>welcome</html>", "answers with what is no JSON"),
        (lambda body: b"[]", "is no PowerDNS and keeps no zones"),
    ],
    ids=["recursor", "web server", "another API"],
)
def test_what_is_no_authoritative_server_is_one_sentence(site: PdnsSite, change: Any, words: str) -> None:
    with changing_front(site.server, change) as url:
        error = error_of(site.connect(SPEC, site.by_api(url=url)).list_records, ProviderError)
    assert_is_final(error)
    assert words in str(error)


def test_https_is_verified_against_the_ca_that_is_given(site: PdnsSite, tmp_path: Path) -> None:
    ca, pem = self_signed(tmp_path, "127.0.0.1")
    with tls_front(site.server, tmp_path, pem) as url:
        dns = site.connect(SPEC, site.by_api(url=url, ca_file=str(ca)))
        dns.put_record(host(site))
        assert dns.list_records() == (host(site),)
        for untrusted in (
            site.by_api(url=url),
            site.by_api(url=url.replace("127.0.0.1", "localhost"), ca_file=str(ca)),
        ):
            error = error_of(site.connect(SPEC, untrusted).list_records, AuthError)
            assert_is_final(error)
            assert "a certificate that is not trusted" in str(error)


def test_a_wrong_api_key_is_told_by_where_it_came_from_and_not_shown(
    site: PdnsSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBO_TEST_KEY", "hunter2-is-wrong")
    options = {
        "name_servers": [f"127.0.0.1:{site.server.port}"],
        "api": {"url": site.server.url, "key_env": "KUBO_TEST_KEY"},
    }
    error = error_of(site.connect(SPEC, options).list_records, AuthError)
    assert "turns down the key from the environment variable KUBO_TEST_KEY" in str(error)
    assert "hunter2" not in f"{error!r}{error.__context__!r}"
    monkeypatch.setenv("KUBO_TEST_KEY", API_KEY)
    assert site.connect(SPEC, options).list_records() == ()
