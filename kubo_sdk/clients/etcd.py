"""EtcdClient: keys, leases, members and users of one etcd cluster, through the JSON gateway every member has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from kubo_sdk.clients.connection import Address, text
from kubo_sdk.clients.etcd_gateway import EtcdGateway, decode, encode
from kubo_sdk.clients.etcd_members import EtcdMembers, Member
from kubo_sdk.clients.etcd_snapshot import stream_snapshot
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.access import Etcd, KeyValue

__all__ = ["EtcdClient", "KeyValue", "Lease", "Member", "MemberStatus", "prefix_end", "prefix_span"]

Span = tuple[bytes, bytes]


@frozen(kw_only=True)
class Lease:
    """*ttl* is in seconds.  etcd raises what is too short for it."""

    id: int
    ttl: int


@frozen(kw_only=True)
class MemberStatus:
    """What one member says of itself.  Sizes in bytes; ``leader`` is 0 while there is none."""

    member: int
    version: str
    leader: int
    raft_index: int
    raft_term: int
    db_size: int
    db_size_in_use: int
    learner: bool
    errors: tuple[str, ...]


def prefix_end(prefix: bytes) -> bytes:
    """The first key after every key that starts with *prefix*."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\0"


def prefix_span(prefix: str) -> Span:
    """The range of all keys below *prefix*; every key for an empty one."""
    key = prefix.encode()
    return key or b"\0", prefix_end(key)


class EtcdClient:
    """The cluster's etcd, with the director's own certificate.  Thread-safe.  Every method raises ProviderError."""

    def __init__(self, https: HttpsClient) -> None:
        self._https = https
        self._gateway = EtcdGateway(https)
        self._call = self._gateway.call
        self.membership = EtcdMembers(self._gateway)

    # -- keys

    def get(self, key: str) -> KeyValue | None:
        """The newest value of *key*, agreed on by a majority."""
        reply = self._call("kv/range", {"key": encode(key)}, what=f"get {key}", idempotent=True)
        found = reply.get("kvs", ())
        return _key_value(found[0]) if found else None

    def list(self, prefix: str) -> tuple[KeyValue, ...]:
        """All keys below *prefix*, in order."""
        start, end = prefix_span(prefix)
        request = {"key": encode(start), "range_end": encode(end)}
        reply = self._call("kv/range", request, what=f"list {prefix}", idempotent=True)
        return tuple(map(_key_value, reply.get("kvs", ())))

    def put(self, key: str, value: bytes, *, lease: int = 0) -> None:
        """Write *key*.  With a *lease* the key dies with it."""
        request = {"key": encode(key), "value": encode(value), "lease": str(lease)}
        self._call("kv/put", request, what=f"put {key}", idempotent=True)

    def delete(self, key: str) -> None:
        self._call("kv/deleterange", {"key": encode(key)}, what=f"delete {key}", idempotent=True)

    def compare_and_put(self, key: str, value: bytes, *, mod_revision: int, lease: int = 0) -> bool:
        """Write *key* if it was last changed at *mod_revision* (0: if it is not there).  False: it was not.

        Unavailable leaves open whether the value was written: read the key.
        """
        compare = {"key": encode(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(mod_revision)}
        put = {"request_put": {"key": encode(key), "value": encode(value), "lease": str(lease)}}
        reply = self._call("kv/txn", {"compare": [compare], "success": [put]}, what=f"put {key}")
        return bool(reply.get("succeeded", False))

    # -- leases

    def grant_lease(self, ttl: int) -> Lease:
        """A new lease of *ttl* seconds."""
        reply = self._call("lease/grant", {"TTL": str(ttl)}, what="grant of a lease")
        return Lease(id=int(reply["ID"]), ttl=int(reply["TTL"]))

    def keep_lease(self, lease: int) -> int:
        """Start the lease's time anew and return its seconds; 0 when the lease is gone."""
        reply = self._call("lease/keepalive", {"ID": str(lease)}, what="renewal of a lease", idempotent=True)
        return int(reply.get("result", {}).get("TTL", 0))

    def revoke_lease(self, lease: int) -> None:
        """End the lease and delete its keys.  Revoking what is gone succeeds."""
        try:
            self._call("lease/revoke", {"ID": str(lease)}, what="end of a lease", idempotent=True)
        except NotFound:
            return

    # -- members

    def healthy(self, host: str) -> bool:
        """Whether the member on *host* serves and has a leader.  AuthError when TLS is refused on either side."""
        try:
            response = self._https.request("GET", "/health", endpoint=self._endpoint(host))
            return response.status == 200 and response.json().get("health") == "true"
        except AuthError:
            raise
        except ProviderError:
            return False

    def members(self) -> tuple[Member, ...]:
        """Every member, as the first that answers knows them."""
        return self.membership.list()

    def members_at(self, host: str) -> tuple[Member, ...]:
        """Every member, as the one on *host* knows them."""
        return self.membership.list(self._endpoint(host))

    def hand_over(self, host: str, member: int) -> None:
        """Have the leader, which is on *host*, hand its leadership over to *member*."""
        self.membership.move_leader(member, leader=self._endpoint(host))

    def status(self, host: str) -> MemberStatus:
        """What the member on *host* says of itself."""
        what = f"status of the etcd member on {host}"
        return _status(self._call("maintenance/status", {}, what=what, idempotent=True, endpoint=self._endpoint(host)))

    def content(self, host: str, revision: int = 0) -> tuple[int, int]:
        """The revision of the member on *host*, and a digest of its keys at *revision*, or at its own (0).

        Members of one cluster that have not compacted differently agree on the digest of a revision.
        """
        what = f"digest of what the etcd member on {host} holds"
        endpoint = self._endpoint(host)
        reply = self._call("maintenance/hash", {"revision": revision}, what=what, idempotent=True, endpoint=endpoint)
        return int(reply["header"]["revision"]), int(reply["hash"])

    def snapshot(self, host: str) -> Iterator[bytes]:
        """The database of the member on *host* in pieces, as `stream_snapshot` says.  Needs the rights of root."""
        return stream_snapshot(self._gateway, self._endpoint(host))

    def count(self, prefix: str) -> tuple[int, int]:
        """How many keys there are below *prefix*, and etcd's revision then, agreed on by a majority."""
        start, end = prefix_span(prefix)
        request = {"key": encode(start), "range_end": encode(end), "count_only": True}
        reply = self._call("kv/range", request, what=f"count {prefix}", idempotent=True)
        return int(reply.get("count", 0)), int(reply["header"]["revision"])

    def alarms(self) -> tuple[tuple[int, str], ...]:
        """(id of a member, NOSPACE or CORRUPT) for every alarm.  Needs a quorum; a `status` tells them without one."""
        reply = self._call("maintenance/alarm", {"action": "GET"}, what="list of etcd alarms", idempotent=True)
        return tuple((int(item["memberID"]), str(item["alarm"])) for item in reply.get("alarms", ()))

    def _endpoint(self, host: str) -> Address:
        for endpoint in self._https.endpoints:
            if endpoint[0] == host:
                return endpoint
        raise NotFound(f"no etcd endpoint is on {host}; there are: {', '.join(map(text, self._https.endpoints))}")

    # -- users

    def authenticate(self, user: str, password: Secret) -> bool:
        """Speak as *user* from now on.  False: authentication is off, and nobody needs it yet.

        Raises AuthError, and goes on as before, when the password is wrong.
        """
        return self._gateway.authenticate(user, password)

    def accepts(self, user: str, password: Secret) -> bool | None:
        """Whether etcd lets *user* in with *password*; None while authentication is off."""
        try:
            return None if self._gateway.token_for(user, password) is None else True
        except AuthError:
            return False

    def auth_enabled(self) -> bool:
        """Whether authentication is on.  Needs no rights, on any version."""
        return self.accepts("", Secret("")) is not None

    def enable_auth(self) -> None:
        """Turn authentication on.  Needs a user root with the role root."""
        self._call("auth/enable", {}, what="enabling etcd's authentication", idempotent=True)

    def ensure_user(self, name: str, password: Secret | None) -> bool:
        """Make the user, or give it *password*.  None: a user whom only its certificate's common name lets in.

        A password that is right already is left alone: changing it would end the user's sessions.  False: the user
        was there before.
        """
        request: dict[str, Any] = {"name": name}
        request |= {"options": {"no_password": True}} if password is None else {"password": password.reveal()}
        try:
            self._call("auth/user/add", request, what=f"creation of etcd user {name!r}", idempotent=True)
        except Conflict:
            if password is not None and not self.accepts(name, password):
                self._call("auth/user/changepw", request, what=f"new password of etcd user {name!r}", idempotent=True)
            return False
        return True

    def ensure_role(self, name: str, prefixes: Iterable[str], keys: Iterable[str] = ()) -> None:
        """Make the role, or change it, so that it may read and write exactly *prefixes* and *keys*."""
        wanted = {*map(prefix_span, prefixes), *((key.encode(), b"") for key in keys)}
        try:
            self._call("auth/role/add", {"name": name}, what=f"creation of etcd role {name!r}", idempotent=True)
            granted: set[Span] = set()
        except Conflict:
            granted = self._take_others(name, wanted)
        what = f"rights of etcd role {name!r}"
        for key, end in sorted(wanted - granted):
            permission = {"permType": "READWRITE", "key": encode(key), "range_end": encode(end)}
            self._call("auth/role/grant", {"name": name, "perm": permission}, what=what, idempotent=True)

    def roles(self, user: str) -> tuple[str, ...]:
        """What *user* was granted.  NotFound when there is no such user."""
        reply = self._call("auth/user/get", {"name": user}, what=f"get etcd user {user!r}", idempotent=True)
        return tuple(reply.get("roles", ()))

    def grant(self, user: str, role: str) -> None:
        """Give *role* to *user*."""
        what = f"grant of etcd role {role!r} to {user!r}"
        self._call("auth/user/grant", {"user": user, "role": role}, what=what, idempotent=True)

    def _take_others(self, role: str, wanted: set[Span]) -> set[Span]:
        """Take from *role* what is not *wanted*, and return what of it the role may read and write."""
        what = f"rights of etcd role {role!r}"
        reply = self._call("auth/role/get", {"role": role}, what=what, idempotent=True)
        granted: set[Span] = set()
        for permission in reply.get("perm", ()):
            span = decode(permission.get("key", "")), decode(permission.get("range_end", ""))
            if span in wanted and permission.get("permType") == "READWRITE":
                granted.add(span)
            elif span not in wanted:
                request = {"role": role, "key": encode(span[0]), "range_end": encode(span[1])}
                self._call("auth/role/revoke", request, what=what)
        return granted


_: type[Etcd] = EtcdClient


def _key_value(item: Mapping[str, str]) -> KeyValue:
    return KeyValue(
        key=decode(item["key"]).decode(errors="surrogateescape"),
        value=decode(item.get("value", "")),
        mod_revision=int(item["mod_revision"]),
    )


def _status(reply: Mapping[str, Any]) -> MemberStatus:
    return MemberStatus(
        member=int(reply["header"]["member_id"]),
        version=reply["version"],
        leader=int(reply.get("leader", 0)),
        raft_index=int(reply.get("raftIndex", 0)),
        raft_term=int(reply.get("raftTerm", 0)),
        db_size=int(reply.get("dbSize", 0)),
        db_size_in_use=int(reply.get("dbSizeInUse", 0)),
        learner=bool(reply.get("isLearner", False)),
        errors=tuple(reply.get("errors", ())),
    )
