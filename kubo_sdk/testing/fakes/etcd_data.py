"""What the members of one fake etcd cluster share: keys with revisions, leases, users and roles, the member list."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.objects import ObjectStore, Place

Span = tuple[bytes, bytes]

# Where the API servers keep the one kind of object that the director deletes past them.
LEASES, LEASES_ROOT = b"/registry/leases/", "/apis/coordination.k8s.io/v1"


@define(eq=False, kw_only=True)
class Key:
    value: bytes = field(repr=False)
    created: int
    modified: int
    version: int = 1
    lease: int = 0


@define(eq=False, kw_only=True)
class Lease:
    ttl: int
    ends: float


@define(eq=False, kw_only=True)
class User:
    password: str | None = field(repr=False)
    roles: list[str] = field(factory=list)


@define(eq=False, kw_only=True)
class Member:
    """One member as the member list has it.  ``started`` since it ran for the first time.

    ``process`` says since when its process runs and reaches the others; None while it does not.
    """

    id: int
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...] = ()
    learner: bool = False
    started: bool = False
    alarms: set[str] = field(factory=set)
    process: Callable[[], float | None] | None = field(default=None, repr=False)

    @property
    def running_since(self) -> float | None:
        return None if self.process is None else self.process()


@define(eq=False, kw_only=True)
class EtcdData:
    """One cluster.  A majority of the voting members must run for it to serve."""

    clock: VirtualClock
    members: dict[int, Member] = field(factory=dict)
    keys: dict[bytes, Key] = field(factory=dict, repr=False)
    leases: dict[int, Lease] = field(factory=dict)
    users: dict[str, User] = field(factory=dict, repr=False)
    roles: dict[str, set[tuple[Span, str]]] = field(factory=dict)
    tokens: dict[str, str] = field(factory=dict, repr=False)
    objects: ObjectStore = field(factory=ObjectStore, repr=False)
    locked: bool = False
    revision: int = 1
    term: int = 2
    _leader: int = 0

    def add(self, name: str, peer_urls: tuple[str, ...], *, learner: bool = False) -> Member:
        """A new line in the member list."""
        text = f"{name}{peer_urls}{secrets.token_hex(4)}"
        member = Member(id=number(text), name=name, peer_urls=peer_urls, learner=learner)
        self.members[member.id] = member
        return member

    def voters(self) -> list[Member]:
        return [member for member in self.members.values() if not member.learner]

    def running(self) -> list[Member]:
        """The members whose process runs and reaches the others."""
        return [member for member in self.members.values() if member.running_since is not None]

    @property
    def has_quorum(self) -> bool:
        voters = self.voters()
        return sum(member.running_since is not None for member in voters) > len(voters) // 2

    @property
    def leader(self) -> int:
        """The id of the leader; 0 while there is none.  It stays until it goes."""
        if not self.has_quorum:
            return 0
        running = [member.id for member in self.voters() if member.running_since is not None]
        if self._leader not in running:
            self._leader, self.term = min(running), self.term + 1
        return self._leader

    def lead(self, member: int) -> None:
        """Make *member* the leader."""
        self._leader, self.term = member, self.term + 1

    def next_revision(self) -> int:
        self.revision += 1
        return self.revision

    def put(self, key: bytes, value: bytes, lease: int = 0) -> None:
        revision = self.next_revision()
        old = self.keys.get(key)
        created, version = (old.created, old.version + 1) if old else (revision, 1)
        self.keys[key] = Key(value=value, created=created, modified=revision, version=version, lease=lease)

    def within(self, span: Span) -> list[tuple[bytes, Key]]:
        """The living keys of a span, in order."""
        self.expire()
        start, end = span
        if not end:
            return [(start, self.keys[start])] if start in self.keys else []
        return [(key, self.keys[key]) for key in sorted(self.keys) if key >= start and (end == b"\0" or key < end)]

    def delete(self, span: Span) -> int:
        found = self.within(span)
        if found:
            self.next_revision()
        for key, _ in found:
            del self.keys[key]
            if key.startswith(LEASES):
                namespace, _, name = key.removeprefix(LEASES).decode().partition("/")
                self.objects.remove(Place(root=LEASES_ROOT, plural="leases", namespace=namespace), name)
        return len(found)

    def expire(self) -> None:
        """End the leases whose time is over, and their keys."""
        now = self.clock.time
        for lease in [each for each, lease in self.leases.items() if lease.ends <= now]:
            self.revoke(lease)

    def revoke(self, lease: int) -> None:
        del self.leases[lease]
        for key in [key for key, held in self.keys.items() if held.lease == lease]:
            del self.keys[key]

    def permits(self, user: str, span: Span, *, write: bool) -> bool:
        """Whether the roles of *user* allow it."""
        return any(self._covers(role, span, write) for role in self.users[user].roles)

    def _covers(self, role: str, span: Span, write: bool) -> bool:
        wanted = "WRITE" if write else "READ"
        return role == "root" or any(
            wanted in kind and _contains(granted, span) for granted, kind in self.roles.get(role, ())
        )


def number(text: str) -> int:
    """An id as etcd makes them: 63 bits of a hash."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _contains(granted: Span, asked: Span) -> bool:
    start, end = granted
    if not end:
        return asked == (start, b"")
    last_is_inside = asked[0] < end if not asked[1] else asked[1] <= end
    return end == b"\0" or (start <= asked[0] and last_is_inside)


def member_rows(members: Iterator[Member] | list[Member]) -> list[dict[str, Any]]:
    """The members as etcd writes them: what is empty is left out."""
    rows = []
    for member in members:
        row: dict[str, Any] = {"ID": str(member.id), "peerURLs": list(member.peer_urls)}
        if member.started:
            row |= {"name": member.name, "clientURLs": list(member.client_urls)}
        if member.learner:
            row["isLearner"] = True
        rows.append(row)
    return rows
