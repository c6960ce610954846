"""EtcdMembers: who belongs to an etcd cluster, and the calls that change it.  They need the rights of root."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.etcd_gateway import EtcdGateway
from kubo_sdk.errors import NotFound


@frozen(kw_only=True)
class Member:
    """One member.  The name is empty until it has started for the first time."""

    id: int
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    learner: bool


class EtcdMembers:
    """The members of one cluster.  Thread-safe.

    Every change goes through consensus.  Raises ProviderError; Unavailable while etcd wants to see the members
    connected for a while (5 s) before it changes them, or a learner has not caught up.
    """

    def __init__(self, gateway: EtcdGateway) -> None:
        self._call = gateway.call

    def list(self, endpoint: Address | None = None) -> tuple[Member, ...]:
        """Every member, as the one at *endpoint* knows them; as the first that answers, without."""
        reply = self._call("cluster/member/list", {}, what="list of etcd members", idempotent=True, endpoint=endpoint)
        return _members(reply)

    def add_learner(self, peer_url: str) -> tuple[Member, ...]:
        """Add a member without a vote, and return all members.  Conflict when the URL is a member's already."""
        request = {"peerURLs": [peer_url], "isLearner": True}
        return _members(self._call("cluster/member/add", request, what=f"adding the etcd member {peer_url}"))

    def promote(self, member: int) -> None:
        """Give a learner its vote."""
        self._call("cluster/member/promote", {"ID": str(member)}, what=f"promotion of etcd member {member:x}")

    def remove(self, member: int) -> None:
        """Take a member out.  One that is gone already is fine."""
        try:
            self._call("cluster/member/remove", {"ID": str(member)}, what=f"removal of etcd member {member:x}")
        except NotFound:
            return

    def move_leader(self, to: int, *, leader: Address) -> None:
        """Have the *leader* hand over to the member *to*."""
        what = f"moving etcd's leadership to {to:x}"
        self._call("maintenance/transfer-leadership", {"targetID": str(to)}, what=what, endpoint=leader)


def _members(reply: dict[str, Any]) -> tuple[Member, ...]:
    return tuple(map(_member, reply.get("members", ())))


def _member(item: dict[str, Any]) -> Member:
    return Member(
        id=int(item["ID"]),
        name=item.get("name", ""),
        peer_urls=tuple(item.get("peerURLs", ())),
        client_urls=tuple(item.get("clientURLs", ())),
        learner=bool(item.get("isLearner", False)),
    )
