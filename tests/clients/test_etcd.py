"""EtcdClient against three real members with mutual TLS."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubo_sdk.clients.etcd import prefix_span
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound, Unavailable


@pytest.fixture
def client(etcd):
    return etcd.client()


@pytest.fixture
def prefix() -> str:
    """Keys of this test alone."""
    return f"/{secrets.token_hex(8)}/"


def test_a_value_comes_back_as_it_was_put(client, prefix) -> None:
    assert client.get(prefix) is None
    for value in (b"", b"\x00\xff\n", "grün".encode()):
        client.put(f"{prefix}kä", value)
        found = client.get(f"{prefix}kä")
        assert (found.key, found.value) == (f"{prefix}kä", value)


def test_a_list_holds_the_keys_below_the_prefix_in_order_and_no_others(client, prefix) -> None:
    outside = prefix[:-1] + "0"
    for key in (f"{prefix}b", f"{prefix}a", f"{prefix}a/deep", outside):
        client.put(key, b"x")
    assert [found.key for found in client.list(prefix)] == [f"{prefix}a", f"{prefix}a/deep", f"{prefix}b"]
    assert {prefix + "a", outside} <= {found.key for found in client.list("")}


@pytest.mark.parametrize(
    ("prefix", "span"),
    [("/a/", (b"/a/", b"/a0")), ("", (b"\0", b"\0")), ("a", (b"a", b"b"))],
)
def test_a_prefix_ends_before_the_next_key_that_has_another(prefix, span) -> None:
    assert prefix_span(prefix) == span


def test_deleting_what_is_absent_succeeds(client, prefix) -> None:
    client.put(prefix, b"x")
    client.delete(prefix)
    client.delete(prefix)
    assert client.get(prefix) is None


def test_of_many_who_put_what_they_read_only_one_succeeds(client, prefix) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: client.compare_and_put(prefix, b"first", mod_revision=0), range(4)))
        assert made.count(True) == 1
        revision = client.get(prefix).mod_revision
        changed = list(pool.map(lambda _: client.compare_and_put(prefix, b"next", mod_revision=revision), range(4)))
        assert changed.count(True) == 1
    assert client.get(prefix).value == b"next"


def test_a_key_dies_with_its_lease(client, prefix) -> None:
    revoked, expiring = client.grant_lease(60), client.grant_lease(1)
    client.put(f"{prefix}revoked", b"x", lease=revoked.id)
    client.put(f"{prefix}expiring", b"x", lease=expiring.id)
    assert client.keep_lease(revoked.id) == 60
    client.revoke_lease(revoked.id)
    client.revoke_lease(revoked.id)
    assert client.keep_lease(revoked.id) == 0
    assert [found.key for found in client.list(prefix)] == [f"{prefix}expiring"]
    wait_until(lambda: client.get(f"{prefix}expiring") is None or None, what="the key's end", timeout=15)


def test_the_members_are_told_with_their_addresses_and_one_leader(client, etcd) -> None:
    members = {member.name: member for member in client.members()}
    assert {name: member.client_urls for name, member in members.items()} == {
        host: (f"https://{host}:2379",) for host in etcd.hosts
    }
    told = {host: client.status(host) for host in etcd.hosts}
    assert {status.leader for status in told.values()} <= {member.id for member in members.values()}
    assert all(status.member == members[host].id and status.version.startswith("3.") for host, status in told.items())


def test_a_host_without_a_member_is_not_found(client, etcd) -> None:
    with pytest.raises(NotFound, match=rf"no etcd endpoint is on 127\.0\.0\.9; there are: {etcd.hosts[0]}:2379"):
        client.status("127.0.0.9")


def test_two_of_three_members_go_on_and_one_alone_says_that_it_cannot(client, etcd, prefix) -> None:
    first, second, third = etcd.hosts
    try:
        etcd.kill(first)
        client.put(prefix, b"with two")
        assert client.get(prefix).value == b"with two"
        assert [client.healthy(host) for host in etcd.hosts] == [False, True, True]
        etcd.kill(second)
        wait_until(lambda: not client.healthy(third) or None, what="the last member noticing", timeout=15)
        with pytest.raises(Unavailable, match=third):
            etcd.client(timeout=1.0).get(prefix)
    finally:
        etcd.start(*(host for host in (first, second) if not etcd.is_running(host)))
    assert client.get(prefix).value == b"with two"
