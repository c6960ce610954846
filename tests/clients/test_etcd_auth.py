"""Users and rights in real etcd: everybody keeps to his own keys, and an interruption at any request does no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.etcd_auth import EtcdAccess, ensure_access
from kubo_sdk.clients.etcd_gateway import EtcdGateway
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.errors import AuthError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import User

APISERVER = "kube-apiserver-etcd-client"
ROOT = User(username="root", password=Secret("root-password-1"))
OVERLAY = User(username="overlay-agent", password=Secret("overlay-password-1"))
ACCESS = EtcdAccess(root=ROOT, apiserver=APISERVER, overlay=OVERLAY, overlay_prefixes=("/coreos.com/network/",))


@pytest.fixture
def open_etcd(etcd) -> Iterator[Any]:
    """The members, with neither users nor roles nor authentication before and after the test."""
    yield etcd
    gateway = EtcdGateway(etcd.https())
    for password in (ROOT.password, Secret("root-password-2")):
        if EtcdClient(etcd.https()).accepts("root", password):
            gateway.authenticate("root", password)
            gateway.call("auth/disable", {}, what="disabling")
    for user in gateway.call("auth/user/list", {}, what="users").get("users", ()):
        gateway.call("auth/user/delete", {"name": user}, what="deletion")
    for role in gateway.call("auth/role/list", {}, what="roles").get("roles", ()):
        gateway.call("auth/role/delete", {"role": role}, what="deletion")


def as_user(etcd, user: User) -> EtcdClient:
    client = etcd.client()
    assert client.authenticate(user.username, user.password)
    return client


def assert_secured(etcd, access: EtcdAccess = ACCESS) -> None:
    """Everybody can do his own work and nothing else."""
    root, overlay, nobody = as_user(etcd, access.root), as_user(etcd, access.overlay), etcd.client()
    root.put("/registry/secrets/a", b"secret")
    overlay.put("/coreos.com/network/config", b"{}")
    assert overlay.list("/coreos.com/network/")[0].value == b"{}"
    for client in (overlay, nobody):
        for forbidden in ("/registry/secrets/a", "/coreos.com/networks", "compact_rev_key"):
            with pytest.raises(AuthError):
                client.get(forbidden)
            with pytest.raises(AuthError):
                client.put(forbidden, b"x")
        with pytest.raises(AuthError):
            client.list("")
        with pytest.raises(AuthError):
            client.grant(access.overlay.username, "kubernetes")
    assert root.roles(APISERVER) == ("kubernetes",)
    assert root.roles(access.overlay.username) == ("overlay",)


def changes(etcd) -> int:
    """How often the members wrote in their logs that users or rights changed."""
    signs = ("added a new user", "changed a password", "granted role", "is updated as", "created a new role")
    return sum(etcd.log(host).count(sign) for host in etcd.hosts for sign in signs)


def test_everybody_keeps_to_his_own_keys(open_etcd) -> None:
    client = open_etcd.client()
    assert not client.auth_enabled()
    ensure_access(client, ACCESS)
    assert client.auth_enabled()
    assert client.list("/coreos.com/network/") == ()
    assert_secured(open_etcd)


def test_the_api_servers_cannot_be_impersonated_with_a_password(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    for password in ("", APISERVER):
        assert open_etcd.client().accepts(APISERVER, Secret(password)) is False


def test_ensuring_access_twice_changes_nothing(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    overlay = as_user(open_etcd, OVERLAY)
    before = changes(open_etcd)
    assert before > 0
    ensure_access(open_etcd.client(), ACCESS)
    assert changes(open_etcd) == before
    overlay.list("/coreos.com/network/")


class _Interrupted(Exception):
    pass


class _DyingClient(HttpsClient):
    """Ends the run before its n-th request, as kill -9 would."""

    requests_left = 0

    def request(self, *arguments: Any, **options: Any) -> Any:
        if self.requests_left == 0:
            raise _Interrupted
        self.requests_left -= 1
        return super().request(*arguments, **options)


def interrupt_after(etcd, requests: int) -> bool:
    """Run until *requests* were made.  False: the run was over before."""
    director = etcd.director
    https = _DyingClient(etcd.endpoints, etcd.authority.ca, director.certificate, director.key)
    https.requests_left = requests
    try:
        ensure_access(EtcdClient(https), ACCESS)
    except _Interrupted:
        return True
    return False


@pytest.mark.parametrize("requests", range(1, 14))
def test_an_interruption_after_any_request_is_made_good_by_the_next_run(open_etcd, requests) -> None:
    assert interrupt_after(open_etcd, requests)
    ensure_access(open_etcd.client(), ACCESS)
    assert_secured(open_etcd)


def test_a_first_run_takes_fourteen_requests(open_etcd) -> None:
    assert not interrupt_after(open_etcd, 14)


def test_changed_passwords_and_prefixes_are_taken_over(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    changed = EtcdAccess(
        root=User(username="root", password=Secret("root-password-2")),
        apiserver=APISERVER,
        overlay=User(username=OVERLAY.username, password=Secret("overlay-password-2")),
        overlay_prefixes=("/elsewhere/",),
        previous_root_passwords=(Secret("never used"), ROOT.password),
    )
    ensure_access(open_etcd.client(), changed)
    for user in (ROOT, OVERLAY):
        with pytest.raises(AuthError, match=r"authentication as '.*' failed"):
            open_etcd.client().authenticate(user.username, user.password)
    overlay = as_user(open_etcd, changed.overlay)
    overlay.put("/elsewhere/config", b"{}")
    with pytest.raises(AuthError):
        overlay.list("/coreos.com/network/")


def test_an_unknown_root_password_is_told_and_changes_nothing(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    before = changes(open_etcd)
    wrong = EtcdAccess(root=User(username="root", password=Secret("hunter2")), previous_root_passwords=(Secret("x"),))
    with pytest.raises(AuthError, match="authentication as 'root' failed") as caught:
        ensure_access(open_etcd.client(), wrong)
    assert "hunter2" not in str(caught.value)
    assert changes(open_etcd) == before


def test_a_token_that_a_restarted_member_has_forgotten_is_renewed(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    first = open_etcd.endpoints[0]
    client = open_etcd.client(first)
    client.authenticate("root", ROOT.password)
    client.put("/a", b"before")
    open_etcd.kill(first[0])
    open_etcd.start(first[0])
    assert client.get("/a").value == b"before"


def test_one_token_is_good_for_every_member(open_etcd) -> None:
    client = open_etcd.client()
    ensure_access(client, ACCESS)
    for host in open_etcd.hosts:
        assert client.status(host).version


def test_a_client_that_signed_in_before_the_door_was_locked_is_let_in_afterwards(open_etcd) -> None:
    early = open_etcd.client()
    assert not early.authenticate(OVERLAY.username, OVERLAY.password)
    ensure_access(open_etcd.client(), ACCESS)
    early.put("/coreos.com/network/config", b"{}")
    assert early.list("/coreos.com/network/")


def test_a_gateway_client_whose_certificate_has_a_common_name_is_told_why_it_is_refused(open_etcd) -> None:
    ensure_access(open_etcd.client(), ACCESS)
    named = open_etcd.authority.issue("director")
    https = HttpsClient(open_etcd.endpoints, open_etcd.authority.ca, named.certificate, named.key)
    with pytest.raises(AuthError, match="refuses client certificates with a common name"):
        EtcdClient(https).authenticate("root", ROOT.password)


def test_access_waits_for_a_majority(open_etcd) -> None:
    first, second, _ = open_etcd.hosts
    open_etcd.kill(first)
    open_etcd.kill(second)
    try:
        with pytest.raises(Unavailable):
            ensure_access(open_etcd.client(timeout=1.0), ACCESS)
    finally:
        open_etcd.start(first, second)
    ensure_access(open_etcd.client(), ACCESS)
