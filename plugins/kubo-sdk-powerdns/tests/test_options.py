"""What a spec may say: options, and where secrets come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.config.structure import structure
from kubo_sdk.errors import ConfigError
from kubo_sdk.testing.node_contexts import sample_spec
from kubo_sdk_powerdns.config import PowerdnsConfig, split_server

from .lab.server import PdnsServer
from .lab.site import PdnsSite

API: dict[str, Any] = {"url": "http://127.0.0.1:8081", "key_file": "api.key"}
UPDATE: dict[str, Any] = {"server": "127.0.0.1", "key_name": "kubo", "key_file": "tsig.key"}


@pytest.fixture
def site(tmp_path: Path) -> PdnsSite:
    """Files with secrets, and a server that nobody needs to ask."""
    return PdnsSite.make(PdnsServer(tmp_path), tmp_path, "options.example")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api": API, "update": UPDATE}, "two ways to the same server"),
        ({"api": {**API, "url": "ns1.example.com"}}, "is no address of an API"),
        ({"api": {**API, "url": "ftp://ns1.example.com"}}, "is no address of an API"),
        ({"api": {**API, "url": "http://kubo:secret@ns1.example.com"}}, "must hold scheme, host, port and path"),
        ({"api": {"url": API["url"]}}, "must have either key_file or key_env"),
        ({"api": {**API, "key_env": "KEY"}}, "must have either key_file or key_env"),
        ({"api": {**API, "key": "hunter2"}}, "is not known"),
        ({"api": {**API, "ca_file": "ca.crt"}}, "write https in url"),
        ({"api": {**API, "zone_nameservers": ["ns 1"]}}, "neither an address nor the name of a host"),
        ({"update": {**UPDATE, "port": 70000}}, "is no port"),
        ({"update": {**UPDATE, "algorithm": "hmac-md5"}}, "is no algorithm of TSIG here"),
        ({"update": {**UPDATE, "server": "no host"}}, "neither an address nor the name of a host"),
        ({"update": {"server": "127.0.0.1", "key_file": "tsig.key"}}, "key_name is missing"),
        ({"api": API, "name_servers": ["127.0.0.1:dns"]}, "is no server"),
        ({"api": API, "name_servers": ["127.0.0.1:0"]}, "is no port"),
        ({"api": API, "reverse_zones": ["10.66.0.0/16"]}, "is no reverse zone"),
        ({"api": API, "serve_timeout": 0.0}, "is no time to wait"),
        ({"reverse_zones": ["66.10.in-addr.arpa"]}, "belong to a server that is there already"),
    ],
)
def test_a_wrong_option_is_one_sentence_with_its_place(options: dict[str, Any], words: str) -> None:
    config, problems = structure(PowerdnsConfig, options, "dns")
    assert config is None
    assert [words in problem for problem in problems] == [True], problems
    assert problems[0].startswith("dns")
    assert "secret@" not in problems[0]


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("ns1.example.com:5353", ("ns1.example.com", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_name_servers_are_written_with_or_without_a_port(text: str, server: tuple[str, int]) -> None:
    assert split_server(text) == server


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"\xff\xfehunter2", "is not text"),
        (b"hunter2\nX-Header: 1", "more than one word of printable ASCII"),
        ("hünter2".encode(), "more than one word of printable ASCII"),
    ],
    ids=["missing", "empty", "binary", "two lines", "no ASCII"],
)
@pytest.mark.parametrize("transport", ["api", "update"])
def test_a_key_file_that_holds_no_key_is_one_sentence(
    site: PdnsSite, transport: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (site.directory / "bad.key").write_bytes(content)
    options = site.by_api(key_file="bad.key") if transport == "api" else site.by_update(key_file="bad.key")
    with pytest.raises(ConfigError) as raised:
        site.connect(sample_spec(), options)
    (problem,) = raised.value.problems
    assert problem.startswith(f"dns.{transport}.key_file: the file {site.directory}/bad.key ")
    assert words in problem
    assert "nter2" not in f"{problem}{raised.value.__context__!r}"


def test_a_tsig_secret_that_is_no_base64_is_one_sentence(site: PdnsSite) -> None:
    (site.directory / "bad.key").write_text("hunter2!", encoding="utf-8")
    with pytest.raises(ConfigError, match="is no base64, as secrets of TSIG are written") as raised:
        site.connect(sample_spec(), site.by_update(key_file="bad.key"))
    assert "hunter2" not in str(raised.value)


def test_a_variable_that_is_not_set_is_one_sentence(site: PdnsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBO_TEST_NOT_SET", raising=False)
    options = {"api": {"url": "http://127.0.0.1:1", "key_env": "KUBO_TEST_NOT_SET"}}
    with pytest.raises(ConfigError, match="the environment variable KUBO_TEST_NOT_SET is not set"):
        site.connect(sample_spec(), options)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read: No such file"), ("nothing", "holds no certificate")]
)
def test_a_ca_file_that_holds_no_ca_is_one_sentence(site: PdnsSite, content: str | None, words: str) -> None:
    if content is not None:
        (site.directory / "ca.crt").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        site.connect(sample_spec(), site.by_api(url="https://127.0.0.1:1", ca_file="ca.crt"))
