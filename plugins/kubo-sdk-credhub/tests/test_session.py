"""Tokens: kept, renewed in time, replaced when they are revoked; an account is never locked by us."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubo_sdk.errors import AuthError, KuboError, Unavailable
from kubo_sdk.ports.credentials import PasswordParameters
from kubo_sdk_credhub.keeping.store import CredhubStore

from .conftest import connect_with
from .standin.site import Site

NAMES = [f"/d/c/{number}" for number in range(12)]


def outcome(store: CredhubStore, name: str) -> str:
    try:
        store.get(name)
    except KuboError as error:
        return f"{type(error).__name__} {error}"
    return "found"


@pytest.mark.parametrize("login", ["client", "user"])
def test_many_threads_log_in_once(site: Site, tmp_path: Path, login: str) -> None:
    store = connect_with(site.options(login), tmp_path)
    with ThreadPoolExecutor(12) as pool:
        assert {each.split()[0] for each in pool.map(lambda name: outcome(store, name), NAMES)} == {"NotFound"}
    assert sum(site.uaa.calls.values()) == 1


def test_a_refused_login_is_asked_once_however_often_and_by_how_many_it_is_needed(site: Site, tmp_path: Path) -> None:
    site.uaa.users["operator"].secret = "changed"
    store = connect_with(site.options("user"), tmp_path)
    for _ in range(2):
        with ThreadPoolExecutor(12) as pool:
            assert {each.split()[0] for each in pool.map(lambda name: outcome(store, name), NAMES)} == {"AuthError"}
    assert site.uaa.failures["operator"] == 1


def test_a_secret_that_was_corrected_in_its_file_is_tried_at_once(site: Site, tmp_path: Path) -> None:
    site.uaa.users["operator"].secret = "changed"
    store = connect_with(site.options("user"), tmp_path)
    with pytest.raises(AuthError):
        store.get("/d/x")
    (tmp_path / "password").write_text("changed\n")
    assert store.find("/d") == ()


@pytest.mark.parametrize("login", ["client", "user"])
def test_a_token_that_ends_is_replaced_before_it_is_refused(site: Site, tmp_path: Path, login: str) -> None:
    site.uaa.lifetime = 0
    store = connect_with(site.options(login), tmp_path)
    for _ in range(3):
        assert store.find("/d") == ()
    grant = {"client": "client_credentials", "user": "refresh_token"}[login]
    assert site.uaa.calls[grant] >= 2
    assert site.uaa.calls["password"] == (login == "user")


@pytest.mark.parametrize("login", ["client", "user"])
def test_revoked_tokens_are_replaced_and_what_was_asked_is_asked_again(site: Site, tmp_path: Path, login: str) -> None:
    store = connect_with(site.options(login), tmp_path)
    made = store.generate("/d/x", PasswordParameters())
    site.uaa.revoke_all()
    assert store.get("/d/x") == made
    assert not site.uaa.failures


def test_a_uaa_that_is_away_is_told_and_is_no_refused_login(site: Site, store: CredhubStore) -> None:
    site.uaa.broken = 1
    with pytest.raises(Unavailable, match="answers HTTP 503"):
        store.get("/d/x")
    assert store.find("/d") == ()


def test_a_proxy_that_says_bad_gateway_is_asked_again(site: Site, store: CredhubStore) -> None:
    made = store.generate("/d/x", PasswordParameters())
    site.credhub.failing = [502, 504]
    assert store.get("/d/x") == made
    site.credhub.failing = [502] * 9
    with pytest.raises(Unavailable, match="HTTP 502"):
        store.get("/d/x")
    assert len(site.credhub.failing) == 4


def test_a_server_that_comes_back_is_found_again(site: Site, store: CredhubStore) -> None:
    made = store.generate("/d/x", PasswordParameters())
    site.server.stop()
    site.server.start()
    assert store.get("/d/x") == made


def test_the_uaa_may_be_named_where_credhub_names_one_that_cannot_be_reached(site: Site, tmp_path: Path) -> None:
    url, site.uaa.url = site.uaa.url, "https://uaa.invalid"
    store = connect_with(site.options(uaa_url=url), tmp_path)
    assert store.find("/d") == ()
