"""The member list and the maintenance calls of fake etcd members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kubo_sdk.testing.fakes.etcd_asked import Asked, Json, Refusal
from kubo_sdk.testing.fakes.etcd_data import Member, member_rows

# How long a learner takes until it has everything, in virtual seconds.
CATCHING_UP = 0.2


def _member_list(asked: Asked) -> Json:
    return {"members": member_rows(list(asked.data.members.values()))}


def _member(asked: Asked) -> Member:
    asked.require_root()
    member = asked.data.members.get(int(asked.body.get("ID", 0)))
    if member is None:
        raise Refusal(5, "etcdserver: member not found")
    return member


def _member_add(asked: Asked) -> Json:
    asked.require_root()
    urls = tuple(asked.body["peerURLs"])
    learner = bool(asked.body.get("isLearner") or asked.body.get("is_learner"))
    data = asked.data
    if any(set(urls) & set(member.peer_urls) for member in data.members.values()):
        raise Refusal(9, "etcdserver: Peer URLs already exists")
    if learner and any(member.learner for member in data.members.values()):
        raise Refusal(9, "etcdserver: too many learner members in cluster")
    voters = data.voters()
    alive = sum(member.running_since is not None for member in voters)
    if not learner and alive <= len(voters) // 2 + (len(voters) + 1) % 2 - 1:
        raise Refusal(9, "etcdserver: re-configuration failed due to not enough started members")
    member = data.add("", urls, learner=learner)
    return {"member": member_rows([member])[0], **_member_list(asked)}


def _member_remove(asked: Asked) -> Json:
    member, data = _member(asked), asked.data
    left = [each for each in data.voters() if each is not member]
    alive = sum(each.running_since is not None for each in left)
    if not member.learner and alive < len(left) // 2 + 1:
        raise Refusal(14, "etcdserver: unhealthy cluster")
    del data.members[member.id]
    member.process = None
    return _member_list(asked)


def _member_update(asked: Asked) -> Json:
    _member(asked).peer_urls = tuple(asked.body["peerURLs"])
    return _member_list(asked)


def _member_promote(asked: Asked) -> Json:
    member = _member(asked)
    if not member.learner:
        raise Refusal(9, "etcdserver: can only promote a learner member")
    since = member.running_since
    if since is None or asked.data.clock.time < since + CATCHING_UP:
        raise Refusal(9, "etcdserver: can only promote a learner member which is in sync with leader")
    member.learner = False
    return _member_list(asked)


def _status(asked: Asked) -> Json:
    data, member = asked.data, asked.member
    size = 20480 + sum(len(name) + len(key.value) for name, key in data.keys.items())
    answer: Json = {
        "version": asked.version,
        "dbSize": str(size),
        "dbSizeInUse": str(size),
        "raftIndex": str(data.revision),
        "raftAppliedIndex": str(data.revision),
        "raftTerm": str(data.term),
    }
    answer |= {"leader": str(data.leader)} if data.leader else {"errors": ["etcdserver: no leader"]}
    alarms = [f"memberID:{each.id} alarm:{alarm} " for each in data.members.values() for alarm in sorted(each.alarms)]
    answer |= {"errors": [*answer.get("errors", ()), *alarms]} if alarms else {}
    return answer | ({"isLearner": True} if member.learner else {})


def _alarm(asked: Asked) -> Json:
    which = asked.body.get("alarm", "NONE")
    members = [m for m in asked.data.members.values() if int(asked.body.get("memberID", 0)) in (0, m.id)]
    if asked.body.get("action", "GET") == "DEACTIVATE":
        for member in members:
            member.alarms.discard(which)
        return {}
    rows = [{"memberID": str(m.id), "alarm": alarm} for m in members for alarm in sorted(m.alarms)]
    return {"alarms": rows} if rows else {}


def _move_leader(asked: Asked) -> Json:
    target = int(asked.body.get("targetID", 0))
    member = asked.data.members.get(target)
    if asked.data.leader != asked.member.id:
        raise Refusal(9, "etcdserver: not leader")
    if member is None or member.learner or member.running_since is None:
        raise Refusal(9, "etcdserver: bad leader transferee")
    asked.data.lead(target)
    return {}


MEMBER_CALLS: Mapping[str, Callable[[Asked], Json]] = MappingProxyType(
    {
        "cluster/member/list": _member_list,
        "cluster/member/add": _member_add,
        "cluster/member/remove": _member_remove,
        "cluster/member/update": _member_update,
        "cluster/member/promote": _member_promote,
        "maintenance/status": _status,
        "maintenance/alarm": _alarm,
        "maintenance/transfer-leadership": _move_leader,
    }
)
