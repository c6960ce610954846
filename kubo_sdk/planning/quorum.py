"""The arithmetic of etcd's majority: what may be taken away, and when it is lost.  Knows numbers only; asks nobody.

The rule about a changed membership is that of Cluster API's control plane provider: a member to be added counts as
unhealthy, and nothing is changed beside a learner.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kubo_sdk.planning.health import EtcdMemberView


def quorum(voting: int) -> int:
    """How many of *voting* members must agree."""
    return voting // 2 + 1


def tolerates(
    members: Sequence[EtcdMemberView], machines: Collection[str], *, removed: Collection[int] = (), added: int = 0
) -> bool:
    """Whether a majority would be safe once the members with ids *removed* are out and *added* new ones are in.

    *machines* holds the names of members whose instance has a machine; a member without one tells by its alarms alone.
    """
    kept = [member for member in members if member.id not in removed]
    if any(is_learner(member) for member in kept):
        return False
    unhealthy = sum(not _counts_healthy(member, machines) for member in kept)
    # The worst case: until it has caught up, a new member only makes the majority larger.
    unhealthy += added if len(members) > 1 else 0
    voting = len(kept) + added
    return voting - unhealthy >= quorum(voting)


def has_quorum(members: Sequence[EtcdMemberView]) -> bool:
    """Whether a majority of the voting members serves now, as each of them told."""
    voting = [member for member in members if not is_learner(member)]
    return sum(member.healthy for member in voting) >= quorum(len(voting))


def may_stop(members: Sequence[EtcdMemberView], stopping: Collection[str]) -> bool:
    """Whether a majority serves while the members named *stopping* are away for a moment."""
    voting = [member for member in members if not is_learner(member)]
    return sum(member.healthy and member.name not in stopping for member in voting) >= quorum(len(voting))


def against_removal(
    members: Sequence[EtcdMemberView], machines: Collection[str], member: EtcdMemberView, *, added: int = 0
) -> str:
    """Why *member* must not be taken out of the cluster now; empty when it may."""
    named = member.name or f"{member.id:x}"
    if len(members) <= 1:
        return f"{named} is the last etcd member"
    if not has_quorum(members):
        return "etcd has lost its quorum, and only a majority can change who is a member"
    if is_learner(member) and all(each.id == member.id or not is_learner(each) for each in members):
        return ""  # It has no vote, so nothing is lost with it.
    if any(is_learner(each) for each in members if each.id != member.id):
        return "another etcd member is still catching up as a learner"
    if not tolerates(members, machines, removed=(member.id,), added=added):
        return f"without {named} too few healthy etcd members would be left"
    return ""


def removal_order(members: Sequence[EtcdMemberView], machines: Collection[str]) -> tuple[EtcdMemberView, ...]:
    """Whom to take first: who has no machine, then who is down, then who has an alarm, then learners, then the rest."""

    def rank(member: EtcdMemberView) -> tuple[bool, bool, bool, bool, bool, int]:
        return (
            member.name in machines,
            member.healthy,
            not member.alarms,
            not is_learner(member),
            member.leader,
            member.id,
        )

    return tuple(sorted(members, key=rank))


def is_learner(member: EtcdMemberView) -> bool:
    """A learner has no vote.  A member without a name has never started, and counts as one."""
    return member.learner or not member.name


def _counts_healthy(member: EtcdMemberView, machines: Collection[str]) -> bool:
    if member.name not in machines:
        return not member.alarms
    return member.healthy and not member.alarms
