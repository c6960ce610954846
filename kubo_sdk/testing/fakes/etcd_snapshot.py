"""Snapshots of a fake etcd: all its members share, as bytes of the right shape, and what is made of them again."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
from collections.abc import Iterator

from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.etcd_data import LEASES, EtcdData
from kubo_sdk.testing.fakes.objects import Stored

PAGE = 512
DIGEST = 32
PIECE = 2000


def snapshot_of(data: EtcdData) -> bytes:
    """The database in whole pages, then its SHA-256."""
    objects = {place: {name: each.text for name, each in held.items()} for place, held in data.objects.places().items()}
    kept = (data.keys, data.users, data.roles, data.locked, data.revision, data.objects.version, objects)
    database = pickle.dumps(kept)
    database += b"\0" * (-len(database) % PAGE)
    return database + hashlib.sha256(database).digest()


def snapshot_lines(snapshot: bytes) -> Iterator[bytes]:
    """As the JSON gateway sends them."""
    for start in range(0, len(snapshot), PIECE):
        piece = snapshot[start : start + PIECE]
        left = len(snapshot) - start - len(piece)
        yield json.dumps({"result": {"remaining_bytes": str(left), "blob": base64.b64encode(piece).decode()}}).encode()


def restored(snapshot: bytes, clock: VirtualClock) -> EtcdData:
    """A new cluster with that content and no members.  ValueError when the digest does not fit."""
    database, digest = snapshot[:-DIGEST], snapshot[-DIGEST:]
    if hashlib.sha256(database).digest() != digest:
        raise ValueError("expected sha256 does not match the snapshot's")
    keys, users, roles, locked, revision, version, objects = pickle.loads(database)  # noqa: S301 (of our own making)
    data = EtcdData(clock=clock, keys=keys, users=users, roles=roles, locked=locked, revision=revision)
    places = {place: {name: Stored(json.loads(text)) for name, text in held.items()} for place, held in objects.items()}
    data.objects.replace(places, version)
    for place, held in places.items():
        if place.plural == "leases":
            for name in held:
                data.put(LEASES + f"{place.namespace}/{name}".encode(), b"")
    return data
