"""Signatures: wrong keys, wrong clocks, missing rights; each in words of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubo_sdk.errors import AuthError
from kubo_sdk.ports.dns import Record
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, error_of
from kubo_sdk.testing.node_contexts import sample_spec

from .lab.server import PdnsServer
from .lab.site import TSIG_NAME, PdnsSite

SPEC = sample_spec()
HOST = Record(name="worker-0.contract.signed.example", type="A", values=("10.66.0.1",))


@pytest.fixture
def site(server: PdnsServer, tmp_path: Path) -> Iterator[PdnsSite]:
    site = PdnsSite.make(server, tmp_path / "site", "signed.example")
    site.make_zone()
    site.allow_updates()
    yield site
    site.drop_zone()


@pytest.mark.parametrize(
    "change",
    [{"key_name": "nobody"}, {"algorithm": "hmac-sha512"}, {"key_file": "wrong.key"}],
    ids=["name", "algorithm", "secret"],
)
def test_a_wrong_key_is_one_sentence_that_shows_no_secret(site: PdnsSite, change: dict[str, str]) -> None:
    secret = base64.b64encode(b"hunter2 is no secret of the lab").decode()
    (site.directory / "wrong.key").write_text(secret, encoding="utf-8")
    dns = site.connect(SPEC, site.by_update(**change))
    for call in (dns.list_records, lambda: dns.put_record(HOST), lambda: dns.delete_record(HOST.name, "A")):
        error = error_of(call, AuthError)
        assert_is_final(error)
        assert_is_one_sentence(error)
        assert "see that name, algorithm and secret are the server's" in str(error)
        assert secret not in f"{error!r}{error.__context__!r}"
        assert site.tsig_secret not in f"{error!r}{error.__context__!r}"


@pytest.mark.parametrize("skew", ["+1h", "-2h"])
def test_a_wrong_clock_is_told_apart_from_a_wrong_key(tmp_path: Path, skew: str) -> None:
    server = PdnsServer(tmp_path / "skewed", prefix=("faketime", "-f", skew)).start()
    try:
        site = PdnsSite.make(server, tmp_path / "site", "signed.example")
        site.make_zone()
        site.allow_updates()
        dns = site.connect(SPEC, site.by_update())
        for call in (dns.list_records, lambda: dns.put_record(HOST)):
            error = error_of(call, AuthError)
            assert_is_final(error)
            assert "differ in time by more than 300 s" in str(error)
        assert site.answers(HOST.name, "A") == []
    finally:
        server.stop()


def test_a_clock_that_is_a_little_wrong_does_no_harm(tmp_path: Path) -> None:
    server = PdnsServer(tmp_path / "skewed", prefix=("faketime", "-f", "+200s")).start()
    try:
        site = PdnsSite.make(server, tmp_path / "site", "signed.example")
        site.make_zone()
        site.allow_updates()
        dns = site.connect(SPEC, site.by_update())
        dns.put_record(HOST)
        assert dns.list_records() == (HOST,)
    finally:
        server.stop()


def test_a_key_that_may_not_read_the_zone_is_told_what_it_lacks(site: PdnsSite) -> None:
    site.call("PUT", f"/zones/{site.zone}.", {"master_tsig_key_ids": []})
    error = error_of(site.connect(SPEC, site.by_update()).list_records, AuthError)
    assert_is_final(error)
    assert f"does not let the TSIG key {TSIG_NAME} read zone signed.example." in str(error)


def test_a_key_that_may_not_update_the_zone_is_told_what_it_lacks(site: PdnsSite) -> None:
    allowed = {"kind": "TSIG-ALLOW-DNSUPDATE", "metadata": ["somebody-else"]}
    site.call("PUT", f"/zones/{site.zone}./metadata/TSIG-ALLOW-DNSUPDATE", allowed)
    dns = site.connect(SPEC, site.by_update())
    error = error_of(lambda: dns.put_record(HOST), AuthError)
    assert_is_final(error)
    assert "refuses updates of zone signed.example." in str(error)
    assert dns.list_records() == ()
