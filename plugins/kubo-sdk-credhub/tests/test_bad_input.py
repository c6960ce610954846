"""Whatever is wrong gets one clear sentence, and nothing is lost or changed by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import AuthError, ConfigError, Conflict, KuboError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    CertificateParameters,
    Kind,
    PasswordParameters,
    SshParameters,
    Text,
    User,
)
from kubo_sdk_credhub.api.orders import CertificateOrder, PasswordOrder, RsaOrder
from kubo_sdk_credhub.keeping.store import CredhubStore

from .conftest import connect_with
from .standin.authority import Authority
from .standin.site import LOGINS, Site
from .standin.web import WebServer

CA = CertificateParameters(common_name="ca", is_ca=True)


def sentence(error: KuboError, *words: str) -> None:
    """The error is one sentence with those words, which starts small, has no full stop and shows no secret."""
    told = str(error)
    assert len(told.splitlines()) == 1
    assert len(told) < 500
    assert not told.endswith(".")
    for word in words:
        assert word in told
    assert "client-secret" not in told.replace("client_secret", "")
    assert "password of the operator" not in told


def refused(kind: type[KuboError], ask: Callable[[], Any], *words: str) -> None:
    with pytest.raises(kind) as caught:
        ask()
    sentence(caught.value, *words)


def test_nobody_at_the_url(site: Site, tmp_path: Path) -> None:
    options = site.options()
    site.stop()
    store = connect_with(options, tmp_path)
    refused(
        Unavailable, lambda: store.get("/d/c/x"), options["url"], "Connection refused", "check the server and the url"
    )


def test_a_host_there_is_not(site: Site, tmp_path: Path) -> None:
    store = connect_with(site.options(url="https://credhub.invalid"), tmp_path)
    refused(Unavailable, lambda: store.get("/d/c/x"), "credhub.invalid:8844", "check the server and the url")


def test_the_url_of_something_else(site: Site, tmp_path: Path) -> None:
    store = connect_with(site.options(url=site.uaa_server.url), tmp_path)
    refused(ProviderError, lambda: store.get("/d/c/x"), "is no CredHub", "correct the url")


@pytest.mark.parametrize("url", ["http://credhub:8844", "credhub:8844", "https://", "https://user:word@credhub", ""])
def test_a_url_that_is_none(site: Site, tmp_path: Path, url: str) -> None:
    refused(ConfigError, lambda: connect_with(site.options(url=url), tmp_path), "https")


def test_a_server_that_another_authority_signed(site: Site, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_text(Authority("another").pem)
    store = connect_with(site.options(ca_file="other.pem"), tmp_path)
    refused(AuthError, lambda: store.get("/d/c/x"), "not to be trusted", "ca_file")


def test_a_server_whose_certificate_has_expired(site: Site, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    expired = WebServer(site.credhub, site.authority.server(tmp_path / "old", life=timedelta(hours=-1)))
    expired.start()
    try:
        store = connect_with(site.options(url=expired.url), tmp_path)
        refused(AuthError, lambda: store.get("/d/c/x"), "expired", "clocks")
    finally:
        expired.stop()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"ca_file": "nothing.pem"}, "nothing.pem"),
        ({"client_secret": {"file": "nothing"}}, "nothing"),
        ({"client_secret": {"variable": "KUBO_TEST_NO_SUCH"}}, "KUBO_TEST_NO_SUCH"),
        ({"client_secret": {}}, "either file or variable"),
        ({"client_secret": "word"}, "client_secret"),
        ({"user": "joe", "password": {"file": "x"}}, "exactly one of client, user and certificate_file"),
        ({"password": {"file": "x"}}, "user and password belong together"),
        ({"key_algorithm": "ecdsa-p256"}, "CredHub makes no ecdsa-p256 keys"),
        ({"timeout": 0}, "more than 0"),
        ({"secret": "word"}, "secret"),
    ],
)
def test_an_option_that_cannot_work(site: Site, tmp_path: Path, options: dict[str, Any], word: str) -> None:
    refused(ConfigError, lambda: connect_with(site.options(**options), tmp_path), word)


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_that_is_refused(site: Site, tmp_path: Path, login: str) -> None:
    site.uaa.clients["kubo"].secret = site.uaa.users["operator"].secret = "another"
    site.app_file = Authority("another").app(tmp_path)
    store = connect_with(site.options(login), tmp_path)
    refused(AuthError, lambda: store.get("/d/c/x"), "certificate" if login == "mtls" else "Bad credentials")


def test_a_client_certificate_of_no_app(site: Site, tmp_path: Path) -> None:
    site.app_file = site.authority.app(tmp_path, "somebody")
    store = connect_with(site.options("mtls"), tmp_path)
    refused(AuthError, lambda: store.get("/d/c/x"), "does not accept the client certificate", "valid identity")


def test_a_key_that_is_not_of_the_certificate(site: Site, tmp_path: Path) -> None:
    other = Authority().app(tmp_path, file="other.pem")
    key = tmp_path / "key.pem"
    key.write_text(other.read_text().partition("-----END CERTIFICATE-----\n")[2])
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(site.app_file.read_text().partition("-----BEGIN PRIVATE")[0])
    options = site.options("mtls", certificate_file=str(certificate), key={"file": str(key)})
    refused(ConfigError, lambda: connect_with(options, tmp_path), "cannot be used together")


@pytest.mark.parametrize("login", ["client", "user"])
def test_a_token_without_the_scopes(site: Site, tmp_path: Path, login: str) -> None:
    site.uaa.clients["kubo"].scopes = site.uaa.users["operator"].scopes = ("credhub.read",)
    store = connect_with(site.options(login), tmp_path)
    refused(AuthError, lambda: store.get("/d/c/x"), "without the scopes credhub.read and credhub.write")
    site.uaa.tells_scope = False
    refused(AuthError, lambda: store.get("/d/c/x"), "does not let", "scopes credhub.read and credhub.write")


def test_a_right_that_is_missing(site: Site, store: CredhubStore) -> None:
    store.generate("/d/c/x", PasswordParameters())
    site.credhub.enforces = True
    grant = site.credhub.permissions.grant
    refused(NotFound, lambda: store.get("/d/c/x"), "/d/c/x", "or the client 'kubo' may not see it")
    refused(AuthError, lambda: store.generate("/d/c/y", PasswordParameters()), "/d/c/y", "give it the permission")
    refused(AuthError, lambda: store.put("/d/c/y", Kind.VALUE, Text(text=Secret("x"))), "/d/c/y", "permission")
    grant("/d/c/*", "uaa-client:kubo", "read")
    assert store.get("/d/c/x").kind is Kind.PASSWORD
    refused(AuthError, lambda: store.delete("/d/c/x"), "/d/c/x", "permission delete")
    grant("/d/c/*", "uaa-client:kubo", "write", "delete")
    store.delete("/d/c/x")
    assert store.find("/d/c") == ()


def test_the_authority_that_may_not_be_read(site: Site, store: CredhubStore) -> None:
    store.generate("/other/ca", CA)
    site.credhub.enforces = True
    site.credhub.permissions.grant("/d/*", "uaa-client:kubo", "read", "write")
    leaf = CertificateParameters(common_name="leaf", ca="/other/ca")
    refused(NotFound, lambda: store.generate("/d/c/leaf", leaf), "the CA /other/ca of /d/c/leaf", "may not read it")


@pytest.mark.parametrize("name", ["", "/", "/d//x", "/d/x/", "/d/x y", "/d/ä", "/d/%", "/" + "x" * 1024])
def test_a_name_that_credhub_would_refuse_is_not_sent(site: Site, store: CredhubStore, name: str) -> None:
    for ask in (
        lambda: store.get(name),
        lambda: store.generate(name, PasswordParameters()),
        lambda: store.delete(name),
    ):
        with pytest.raises(ConfigError, match="no name for CredHub"):
            ask()
    assert sum(site.credhub.calls.values()) == 0


def test_a_type_that_differs_from_the_stored_one(store: CredhubStore) -> None:
    made = store.generate("/d/c/x", PasswordParameters())
    refused(Conflict, lambda: store.generate("/d/c/x", SshParameters()), "/d/c/x is a password, not a ssh")
    joe = User(username="joe", password=Secret("hunter2"))
    refused(Conflict, lambda: store.put("/d/c/x", Kind.USER, joe), "/d/c/x is a password, not a user")
    assert store.list_versions("/d/c/x") == (made,)


def test_a_server_in_read_only_mode(site: Site, store: CredhubStore) -> None:
    made = store.generate("/d/c/x", PasswordParameters())
    site.credhub.read_only = True
    for ask in (
        lambda: store.generate("/d/c/y", PasswordParameters()),
        lambda: store.put("/d/c/x", Kind.PASSWORD, Text(text=Secret("new"))),
        lambda: store.delete("/d/c/x"),
    ):
        refused(Unavailable, ask, "/d/c/", "read-only mode", "run the same again")
    assert store.get("/d/c/x") == made


def test_a_value_over_the_limit(store: CredhubStore) -> None:
    large = Text(text=Secret("x" * 70000))
    refused(ProviderError, lambda: store.put("/d/c/x", Kind.VALUE, large), "/d/c/x", "too large", "64 KB")
    assert store.find("/d") == ()


def test_a_certificate_chain_over_the_limit_is_not_sent(site: Site, store: CredhubStore) -> None:
    value = store.generate("/d/c/ca", CA).value
    site.credhub.calls.clear()
    long = evolve(value, ca=value.ca * 8)  # type: ignore[arg-type,union-attr]
    refused(ConfigError, lambda: store.put("/d/c/x", Kind.CERTIFICATE, long), "/d/c/x", "7000")
    assert not site.credhub.calls["PUT /api/v1/data"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (CertificateParameters(organization="one,O=two", ca="/d/c/ca"), "several names"),
        (
            CertificateParameters(organization=("one", "two"), ca="/d/c/ca"),
            "one organization into a certificate, not 2",
        ),  # type: ignore[arg-type]
        (CertificateParameters(common_name="x" * 65, ca="/d/c/ca"), "1 to 64 characters"),
        (CertificateParameters(common_name="x", ca="/d/c/ca", duration_days=4000), "1 to 3650 days"),
        (CertificateParameters(common_name="x", ca="/d/c/ca", alternative_names=("not a host",)), "neither a DNS name"),
        (CertificateParameters(common_name="x", ca="/d/c/ca", key_usage=("all",)), "no key usage 'all'"),
        (CertificateParameters(common_name="x"), "needs a CA"),
        (CertificateParameters(ca="/d/c/ca"), "names nobody"),
        (CertificateParameters(common_name="x", ca="/D/c/x"), "names itself"),
        (PasswordParameters(length=3), "4 to 200 characters"),
        (SshParameters(comment="two\nlines"), "one line"),
    ],
)
def test_what_credhub_cannot_make_is_refused_before_it_is_asked(
    site: Site, store: CredhubStore, parameters: Any, words: str
) -> None:
    refused(ConfigError, lambda: store.generate("/d/c/x", parameters), "/d/c/x", words)
    assert not site.credhub.calls["POST /api/v1/data"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (CertificateOrder(common_name="x", is_ca=True, key_length=256), "RSA keys of 2048, 3072, 4096 bits"),
        (CertificateOrder(common_name="x", self_sign=True, ca="/d/ca"), "exclude each other"),
        (CertificateOrder(common_name="x", is_ca=True, country="Austria"), "1 to 2 characters"),
        (RsaOrder(key_length=1024), "RSA keys of"),
        (PasswordOrder(exclude_upper=True, exclude_lower=True, exclude_number=True), "every class"),
    ],
)
def test_what_the_client_is_asked_beyond_the_port_is_checked_too(
    site: Site, store: CredhubStore, order: Any, words: str
) -> None:
    refused(ConfigError, lambda: store.client.credentials.generate("/d/x", order), "/d/x", words)
    assert not site.credhub.calls["POST /api/v1/data"]


def test_a_clock_of_credhub_that_is_ahead(site: Site, store: CredhubStore) -> None:
    site.credhub.ahead = timedelta(minutes=10)
    refused(ProviderError, lambda: store.generate("/d/c/ca", CA), "/d/c/ca", "valid only in", "clocks")
    later = CredhubStore(store.client, now=lambda: datetime.now(UTC) + timedelta(minutes=10))
    assert later.generate("/d/c/ca", CA) == store.get("/d/c/ca")


def test_a_clock_of_credhub_that_calls_every_token_expired(site: Site, store: CredhubStore) -> None:
    site.credhub.ahead = timedelta(hours=2)
    refused(AuthError, lambda: store.get("/d/c/x"), "calls a token expired", "clocks")


def test_a_server_without_a_uaa(site: Site, store: CredhubStore) -> None:
    site.credhub.uaa = None
    refused(AuthError, lambda: store.get("/d/c/x"), "works without a UAA", "certificate_file")


def test_a_uaa_that_is_not_https(site: Site, store: CredhubStore) -> None:
    site.uaa.url = "http://127.0.0.1:1"
    refused(AuthError, lambda: store.get("/d/c/x"), "not https", "uaa_url")


def test_a_server_that_gives_leaves_one_authority_only(site: Site, store: CredhubStore) -> None:
    site.credhub.vault.concatenates = False
    ca = store.generate("/d/c/ca", CA)
    store.generate("/d/c/leaf", CertificateParameters(common_name="leaf", ca="/d/c/ca"))
    refused(ProviderError, lambda: store.introduce_authority("/d/c/ca"), "/d/c/ca", "concatenate_cas")
    assert store.list_versions("/d/c/ca") == (ca,)
