"""The JSON gateway of a fake etcd member: what our EtcdClient asks, answered as etcd answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import frozen

from kubo_sdk.testing.fakes.etcd_asked import Asked, Json, Refusal
from kubo_sdk.testing.fakes.etcd_data import EtcdData, Member
from kubo_sdk.testing.fakes.etcd_keys import KEY_CALLS
from kubo_sdk.testing.fakes.etcd_members import MEMBER_CALLS
from kubo_sdk.testing.fakes.etcd_snapshot import snapshot_lines, snapshot_of
from kubo_sdk.testing.fakes.etcd_users import USER_CALLS
from kubo_sdk.testing.fakes.wire import Reply, Request

STATUS = MappingProxyType({3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 14: 503, 16: 401})
SNAPSHOT = "maintenance/snapshot"
# What a member answers by itself, without the others.
ALONE = ("cluster/member/list", "maintenance/status", "maintenance/alarm", "auth/authenticate")

CALLS: Mapping[str, Callable[[Asked], Json]] = MappingProxyType({**KEY_CALLS, **MEMBER_CALLS, **USER_CALLS})


@frozen(kw_only=True)
class Gateway:
    """One member's answers."""

    data: EtcdData
    member: Member
    version: str

    def answer(self, request: Request) -> Reply:
        if request.path == "/health":
            return self._health()
        if request.path == "/version":
            return _reply({"etcdserver": self.version, "etcdcluster": self.version})
        path = request.path.removeprefix("/v3/")
        call = CALLS.get(path)
        if (call is None and path != SNAPSHOT) or request.method != "POST":
            return Reply(status=404, body=b"404 page not found")
        try:
            self._admit(path)
            asked = Asked(
                data=self.data,
                member=self.member,
                version=self.version,
                request=request,
                body=json.loads(request.body or b"{}"),
            )
            return _snapshot(asked) if call is None else _reply({"header": self._header(), **call(asked)})
        except Refusal as refusal:
            body = {"error": str(refusal), "message": str(refusal), "code": refusal.code}
            return _reply(body, STATUS[refusal.code])

    def _health(self) -> Reply:
        well = bool(self.data.leader) and not any(member.alarms for member in self.data.members.values())
        return _reply({"health": "true" if well else "false"}, 200 if well else 503)

    def _admit(self, path: str) -> None:
        if path in ALONE:
            return
        if not self.data.leader:
            raise Refusal(14, "etcdserver: no leader")
        if self.member.learner and not path.startswith("cluster/"):
            raise Refusal(14, "etcdserver: rpc not supported for learner")

    def _header(self) -> Json:
        return {
            "cluster_id": str(id(self.data)),
            "member_id": str(self.member.id),
            "revision": str(self.data.revision),
            "raft_term": str(self.data.term),
        }


def _snapshot(asked: Asked) -> Reply:
    asked.require_root()
    return Reply(lines=snapshot_lines(snapshot_of(asked.data)))


def _reply(body: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())
