"""Tokens: got once, renewed in time, exchanged once where one is refused, and never by a loop of logins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk_cfrouting.agent.https import Https, Trust
from kubo_sdk_cfrouting.agent.routing_api import RoutingApi
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError
from kubo_sdk_cfrouting.agent.uaa import REST_SECONDS, YOUNG_SECONDS, Uaa

from .standin.site import Site


class Clock:
    """Monotonic time that moves when it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(site: Site, clock: Clock) -> RoutingApi:
    trust = Trust(ca=str(site.ca_file))
    secret: Callable[[], str] = lambda: site.secret_file.read_text().strip()  # noqa: E731
    uaa = Uaa(Https("UAA", site.uaa_server.url, trust), "kubo", secret, clock)
    return RoutingApi(Https("routing API", site.api_server.url, trust), uaa)


def test_one_token_serves_many_requests_until_shortly_before_it_ends(site: Site, api: RoutingApi, clock: Clock) -> None:
    for _ in range(3):
        api.routes()
    clock.now += site.uaa.lifetime - 61
    api.routes()
    assert site.uaa.logins["kubo"] == 1
    clock.now += 2
    api.routes()
    assert site.uaa.logins["kubo"] == 2


def test_a_revoked_token_costs_one_new_one(site: Site, api: RoutingApi, clock: Clock) -> None:
    api.routes()
    clock.now += YOUNG_SECONDS + 1
    site.uaa.revoke_all()
    api.routes()
    api.routes()
    assert site.uaa.logins["kubo"] == 2


def test_a_missing_scope_costs_no_second_login_and_an_old_token_one(site: Site, api: RoutingApi, clock: Clock) -> None:
    site.uaa.clients["kubo"].scopes = ("routing.routes.write",)
    for _ in range(3):
        with pytest.raises(RoutingError) as caught:
            api.routes()
        assert caught.value.kind is Kind.SCOPE
    assert site.uaa.logins["kubo"] == 1
    clock.now += YOUNG_SECONDS + 1
    site.uaa.clients["kubo"].scopes = ("routing.routes.read",)
    assert api.routes() == ()
    assert site.uaa.logins["kubo"] == 2


def test_a_refused_login_rests_unless_the_secret_is_another(site: Site, api: RoutingApi, clock: Clock) -> None:
    good = site.secret_file.read_text()
    site.secret_file.write_text("wrong")
    for _ in range(3):
        with pytest.raises(RoutingError) as caught:
            api.routes()
        assert caught.value.kind is Kind.LOGIN
        assert "wrong" not in str(caught.value)
    assert site.uaa.logins["kubo"] == 1
    clock.now += REST_SECONDS + 1
    with pytest.raises(RoutingError):
        api.routes()
    assert site.uaa.logins["kubo"] == 2
    site.secret_file.write_text(good)
    assert api.routes() == ()
