"""Streams the whole database of one etcd member through its JSON gateway, checked by the digest etcd ends it with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from kubo_sdk.clients.connection import Address, text
from kubo_sdk.clients.etcd_gateway import EtcdGateway, decode
from kubo_sdk.errors import Unavailable

DIGEST_BYTES = 32
# The database is pages of at least this size; etcd itself refuses to restore anything else.
PAGE_BYTES = 512
# A member that reads a large database from a busy disk may say nothing for a while.
SILENCE_SECONDS = 60.0


def stream_snapshot(gateway: EtcdGateway, member: Address) -> Iterator[bytes]:
    """The snapshot in pieces of some 20 kB, as ``etcdctl snapshot restore`` takes it: the database, then its SHA-256.

    *member* is asked alone.  Raises Unavailable when the stream breaks off or does not end in the right digest: what
    was read until then is worthless.
    """
    what = f"snapshot of etcd {text(member)}"
    with gateway.stream("maintenance/snapshot", {}, what=what, endpoint=member, silence=SILENCE_SECONDS) as lines:
        yield from _checked((_blob(json.loads(line), what) for line in lines if line), what)


def _blob(message: dict[str, Any], what: str) -> bytes:
    if "error" in message:
        error = message["error"]
        raise Unavailable(f"{what} broke off: {error.get('message', error) if isinstance(error, dict) else error}")
    return decode(message.get("result", {}).get("blob", ""))


def _checked(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    digest, size, held = hashlib.sha256(), 0, b""
    for piece in pieces:
        held += piece
        if len(held) > DIGEST_BYTES:
            ready, held = held[:-DIGEST_BYTES], held[-DIGEST_BYTES:]
            digest.update(ready)
            size += len(ready)
            yield ready
    if not size or size % PAGE_BYTES or held != digest.digest():
        raise Unavailable(f"{what} broke off after {size} bytes; take it again")
    yield held
