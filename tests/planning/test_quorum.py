"""etcd's majority: the arithmetic as Cluster API has it, and what must never be allowed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.planning.quorum import (
    against_removal,
    has_quorum,
    is_learner,
    may_stop,
    quorum,
    removal_order,
    tolerates,
)


def member(
    number: int, *, healthy: bool = True, learner: bool = False, alarm: bool = False, named: bool = True
) -> EtcdMemberView:
    return EtcdMemberView(
        id=number,
        name=f"etcd-{number}" if named else "",
        peer_urls=(),
        healthy=healthy,
        learner=learner,
        alarms=("NOSPACE",) if alarm else (),
    )


def members(count: int, *, dead: int = 0) -> tuple[EtcdMemberView, ...]:
    return tuple(member(number, healthy=number >= dead) for number in range(count))


def names(found: Sequence[EtcdMemberView]) -> tuple[str, ...]:
    return tuple(each.name for each in found)


@st.composite
def memberships(draw: st.DrawFn) -> tuple[tuple[EtcdMemberView, ...], tuple[str, ...]]:
    """Any membership, and the names of those that have a machine."""
    flags = st.booleans()
    count = draw(st.integers(1, 9))
    found = tuple(
        member(
            number,
            healthy=draw(flags),
            learner=draw(st.sampled_from([False, False, True])),
            alarm=draw(st.sampled_from([False, False, False, True])),
            named=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(count)
    )
    return found, tuple(each.name for each in found if each.name and draw(st.sampled_from([True, True, False])))


def as_cluster_api_counts(
    found: Sequence[EtcdMemberView], machines: Sequence[str], removed: set[int], added: int
) -> bool:
    """Cluster API's rule, written down once more as it reads there."""
    total, unhealthy, learners = 0, 0, 0
    for each in found:
        if each.id in removed:
            continue
        total += 1
        if not each.name:
            learners, unhealthy = learners + 1, unhealthy + 1
        elif each.learner:
            learners += 1
        elif each.name not in machines:
            unhealthy += bool(each.alarms)
        elif not each.healthy or each.alarms:
            unhealthy += 1
    for _ in range(added):
        total += 1
        unhealthy += len(found) > 1
    voting = total - learners
    return learners == 0 and voting - unhealthy >= voting // 2 + 1


@given(memberships(), st.sets(st.integers(0, 8)), st.integers(0, 2))
def test_it_counts_as_cluster_api_does(
    membership: tuple[tuple[EtcdMemberView, ...], tuple[str, ...]], removed: set[int], added: int
) -> None:
    found, machines = membership
    expected = as_cluster_api_counts(found, machines, removed, added)
    assert tolerates(found, machines, removed=removed, added=added) == expected


@given(memberships(), st.integers(0, 1))
def test_no_member_with_a_vote_goes_when_too_few_healthy_ones_would_be_left(
    membership: tuple[tuple[EtcdMemberView, ...], tuple[str, ...]], added: int
) -> None:
    found, machines = membership
    for each in found:
        if is_learner(each) or against_removal(found, machines, each, added=added):
            continue
        left = [other for other in found if other.id != each.id]
        voting = len(left) + added
        dead = sum(other.name in machines and not other.healthy for other in left) + added
        assert voting - dead >= quorum(voting)
        assert not any(is_learner(other) for other in left)


@given(memberships())
def test_nobody_goes_while_the_quorum_is_lost(
    membership: tuple[tuple[EtcdMemberView, ...], tuple[str, ...]],
) -> None:
    found, machines = membership
    if not has_quorum(found):
        assert all(against_removal(found, machines, each) for each in found)


@given(memberships())
def test_stopping_what_may_stop_leaves_a_majority(
    membership: tuple[tuple[EtcdMemberView, ...], tuple[str, ...]],
) -> None:
    found, _ = membership
    for each in found:
        if each.name and may_stop(found, [each.name]):
            voting = [other for other in found if not is_learner(other)]
            serving = [other for other in voting if other.healthy and other.name != each.name]
            assert len(serving) >= quorum(len(voting))


@pytest.mark.parametrize(("count", "dead_beside_it"), [(3, 0), (5, 1), (7, 2)])
def test_so_many_may_be_dead_while_one_more_is_replaced(count: int, dead_beside_it: int) -> None:
    machines = names(members(count))
    fine, too_many = members(count, dead=dead_beside_it + 1), members(count, dead=dead_beside_it + 2)
    assert not against_removal(fine, machines, fine[0], added=1)
    assert against_removal(too_many, machines, too_many[0], added=1)


def test_a_healthy_member_does_not_go_while_another_one_is_dead() -> None:
    found = members(3, dead=1)
    assert against_removal(found, names(found), found[1]) == "without etcd-1 too few healthy etcd members would be left"


def test_the_last_member_never_goes() -> None:
    found = members(1)
    assert against_removal(found, names(found), found[0]) == "etcd-0 is the last etcd member"


def test_a_learner_blocks_every_other_change_and_may_itself_go() -> None:
    found = (*members(3), member(7, healthy=False, named=False))
    assert "learner" in against_removal(found, names(members(3)), found[0])
    assert not against_removal(found, names(members(3)), found[3])


def test_the_dead_go_before_the_living_and_the_leader_last() -> None:
    machineless = member(4)
    found = (*members(4, dead=1), machineless)
    order = removal_order(led_by(found, 1), names(members(4)))
    assert order[0] is machineless
    assert [each.name for each in order[1:]] == ["etcd-0", "etcd-2", "etcd-3", "etcd-1"]


def led_by(found: Sequence[EtcdMemberView], leader: int) -> tuple[EtcdMemberView, ...]:
    return tuple(
        EtcdMemberView(id=each.id, name=each.name, peer_urls=(), healthy=each.healthy, leader=True)
        if each.id == leader
        else each
        for each in found
    )


@pytest.mark.parametrize(
    ("count", "dead", "has"), [(3, 1, True), (3, 2, False), (5, 2, True), (5, 3, False), (1, 1, False)]
)
def test_a_lost_quorum_is_known(count: int, dead: int, has: bool) -> None:
    assert has_quorum(members(count, dead=dead)) is has
