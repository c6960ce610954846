"""Tags in clouds whose own tags are short or poor in letters: cut into numbered pieces, and joined again.  Pure.

The pieces ``kubo-tags-0``, ``kubo-tags-1``... are the JSON of all tags, cut; where only lower-case letters and digits
are allowed (GCE's labels), they are its base32.  Beside them stands one mark per cluster, to search by.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.cloud import Machine, Volume
from kubo_sdk_libcloud.clouds.tags import TOKEN

T = TypeVar("T", Machine, Volume)

MARK = "kubo-mark"
_PIECE = "kubo-tags-"


def mark_of(cluster: ClusterId) -> str:
    """The word that everything of *cluster* carries: 20 letters and digits."""
    return _base32(hashlib.sha256(str(cluster).encode()).digest())[:20]


def pack(cluster: ClusterId, tags: Mapping[str, str], width: int) -> dict[str, str]:
    """*tags* as readable pieces of at most *width* characters, and the cluster's mark."""
    return {MARK: mark_of(cluster), **_pieces(json.dumps(tags, sort_keys=True, separators=(",", ":")), width)}


def unpack(packed: Mapping[str, str]) -> dict[str, str]:
    """What `pack` was given; empty for a stranger's tags."""
    return _tags(_joined(packed))


def pack_poor(cluster: ClusterId, tags: Mapping[str, str], width: int = 63) -> dict[str, str]:
    """As `pack`, in lower-case letters and digits only."""
    text = json.dumps(tags, sort_keys=True, separators=(",", ":"))
    return {MARK: mark_of(cluster), **_pieces(_base32(zlib.compress(text.encode(), 9)), width)}


def unpack_poor(packed: Mapping[str, str]) -> dict[str, str]:
    """What `pack_poor` was given; empty for a stranger's tags."""
    letters = _joined(packed).upper()
    try:
        return _tags(zlib.decompress(base64.b32decode(letters + "=" * (-len(letters) % 8))).decode())
    except (ValueError, zlib.error):
        return {}


def of_token(found: Iterable[T], token: str) -> tuple[T, ...]:
    """Those made for *token*; all without one."""
    return tuple(each for each in found if not token or each.tags.get(TOKEN) == token)


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _pieces(text: str, width: int) -> dict[str, str]:
    return {f"{_PIECE}{at // width}": text[at : at + width] for at in range(0, len(text), width)}


def _joined(packed: Mapping[str, str]) -> str:
    pieces: list[str] = []
    while (piece := packed.get(f"{_PIECE}{len(pieces)}")) is not None:
        pieces.append(piece)
    return "".join(pieces)


def _tags(text: str) -> dict[str, str]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}
