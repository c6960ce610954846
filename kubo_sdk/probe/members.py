"""One list of etcd's members, out of what each member says of itself and of the others.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.probe.questions import MemberAnswer


def member_views(answers: Sequence[MemberAnswer]) -> tuple[EtcdMemberView, ...] | None:
    """The members as the member that has seen most lists them; None when nobody could."""
    lists = [answer for answer in answers if answer.members]
    if not lists:
        return None
    newest = max(lists, key=lambda answer: (answer.status.raft_term, answer.status.raft_index))
    said = {answer.status.member: answer for answer in answers}
    alarms = {alarm for answer in answers for alarm in answer.alarms}
    return tuple(
        EtcdMemberView(
            id=member.id,
            name=member.name,
            peer_urls=member.peer_urls,
            learner=member.learner,
            healthy=member.id in said and said[member.id].healthy,
            leader=member.id == newest.status.leader,
            alarms=tuple(sorted(kind for about, kind in alarms if about == member.id)),
        )
        for member in newest.members
    )
