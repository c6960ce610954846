"""The membership of a real etcd: members are listed, added as learners, removed; leadership moves."""

from __future__ import annotations

import pytest

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, ProviderError, Unavailable

ELSEWHERE = "https://127.99.99.99:2380"
# etcd changes its members once it has seen them connected for five seconds.
CHANGE_SECONDS = 30


@pytest.fixture
def client(etcd) -> EtcdClient:
    return etcd.client()


def add_learner(client: EtcdClient) -> int:
    added = wait_until(
        lambda: client.membership.add_learner(ELSEWHERE), what="a learner being added", timeout=CHANGE_SECONDS
    )
    return next(member.id for member in added if member.peer_urls == (ELSEWHERE,))


def test_a_learner_is_added_listed_without_a_name_and_removed(client) -> None:
    learner = add_learner(client)
    try:
        listed = {member.id: member for member in client.members()}
        assert listed[learner].learner
        assert listed[learner].name == ""
        with pytest.raises(Conflict):
            client.membership.add_learner(ELSEWHERE)
        with pytest.raises(Unavailable):
            client.membership.promote(learner)
    finally:
        client.membership.remove(learner)
    assert learner not in {member.id for member in client.members()}
    client.membership.remove(learner)


def test_every_member_lists_the_same_members(client, etcd) -> None:
    lists = [{member.id for member in client.members_at(host)} for host, _ in etcd.endpoints]
    assert len(lists) == 3
    assert lists[0] == lists[1] == lists[2]


def test_a_leader_hands_over_to_the_member_that_is_named(client, etcd) -> None:
    hosts = {client.status(host).member: host for host, _ in etcd.endpoints}
    leader = client.status(next(iter(hosts.values()))).leader
    heir = next(member for member in hosts if member != leader)
    client.hand_over(hosts[leader], heir)
    wait_until(
        lambda: client.status(hosts[heir]).leader == heir or None, what="the new leader leading", timeout=CHANGE_SECONDS
    )


def test_a_member_that_does_not_lead_cannot_hand_over(client, etcd) -> None:
    hosts = {client.status(host).member: host for host, _ in etcd.endpoints}
    leader = client.status(next(iter(hosts.values()))).leader
    follower = next(member for member in hosts if member != leader)
    with pytest.raises(ProviderError, match="leader"):
        client.hand_over(hosts[follower], leader)
