"""What is inside a backup: documents, then the snapshot in pieces, then the manifest.  Compressed as it streams.

Each part has a letter, its length in four bytes, and its content: ``D`` a document (JSON with its name), ``S`` a piece
of the snapshot, ``E`` the manifest, which is last.  A part of another letter is one of a newer kubo-sdk, and is passed
over.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
from attrs import frozen

from kubo_sdk.backup.manifest import Manifest
from kubo_sdk.errors import ProviderError

DOCUMENT, SNAPSHOT, END = b"D", b"S", b"E"
HEAD = struct.Struct(">cI")
LARGEST_PART = 64 * 1024 * 1024
# Most of what etcd keeps is text or empty pages; more than the fastest level costs time and hardly saves anything.
LEVEL = 1


@frozen(kw_only=True)
class Part:
    """One part.  ``kind`` is its letter."""

    kind: bytes
    content: bytes


def write_archive(
    write: Callable[[bytes], object], documents: Iterable[tuple[str, Any]], snapshot: Iterable[bytes], told: Manifest
) -> Manifest:
    """Write everything; *told* is what is known beforehand.  Returns the manifest with size and digest."""
    compressor = zlib.compressobj(LEVEL)

    def part(kind: bytes, content: bytes) -> None:
        write(compressor.compress(HEAD.pack(kind, len(content)) + content))

    for name, value in documents:
        part(DOCUMENT, json.dumps({"name": name, "value": value}).encode())
    digest, size = hashlib.sha256(), 0
    for piece in snapshot:
        digest.update(piece)
        size += len(piece)
        part(SNAPSHOT, piece)
    manifest = attrs.evolve(told, snapshot_bytes=size, snapshot_sha256=digest.hexdigest())
    part(END, json.dumps(manifest.to_dict()).encode())
    write(compressor.flush())
    return manifest


@frozen(kw_only=True)
class Content:
    """A backup read to its end and found whole, without its snapshot."""

    manifest: Manifest
    documents: dict[str, Any] = attrs.field(repr=False)


def read_archive(pieces: Iterable[bytes], what: str, snapshot: Callable[[bytes], object]) -> Content:
    """Read everything; each piece of the snapshot goes to *snapshot*.  ProviderError unless all of it is right."""
    documents: dict[str, Any] = {}
    digest, size = hashlib.sha256(), 0
    for part in parts(pieces, what):
        if part.kind == SNAPSHOT:
            digest.update(part.content)
            size += len(part.content)
            snapshot(part.content)
        elif part.kind == DOCUMENT:
            document = json.loads(part.content)
            documents[document["name"]] = document["value"]
        elif part.kind == END:
            manifest = _manifest(part.content, what)
            if (manifest.snapshot_bytes, manifest.snapshot_sha256) != (size, digest.hexdigest()):
                raise ProviderError(f"{what} holds another snapshot than it says; choose another one: kubo backups")
            return Content(manifest=manifest, documents=documents)
    raise ProviderError(f"{what} ends before its manifest; choose another one: kubo backups")


def snapshot_in(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    """The snapshot alone, in pieces, checked at its end."""
    held: list[bytes] = []
    digest = hashlib.sha256()
    for part in parts(pieces, what):
        if part.kind == SNAPSHOT:
            digest.update(part.content)
            held.append(part.content)
            yield held.pop()
        elif part.kind == END:
            if _manifest(part.content, what).snapshot_sha256 != digest.hexdigest():
                raise ProviderError(f"{what} holds another snapshot than it says; choose another one: kubo backups")
            return
    raise ProviderError(f"{what} ends before its manifest; choose another one: kubo backups")


def parts(pieces: Iterable[bytes], what: str) -> Iterator[Part]:
    """The parts of the archive whose bytes are *pieces*."""
    held = bytearray()
    for plain in _decompressed(pieces, what):
        held += plain
        while len(held) >= HEAD.size:
            kind, length = HEAD.unpack_from(held)
            if length > LARGEST_PART:
                raise ProviderError(f"{what} was written by something else than kubo; choose another one: kubo backups")
            if len(held) < HEAD.size + length:
                break
            yield Part(kind=kind, content=bytes(held[HEAD.size : HEAD.size + length]))
            del held[: HEAD.size + length]


def _decompressed(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    decompressor = zlib.decompressobj()
    try:
        for piece in pieces:
            plain = decompressor.decompress(piece, LARGEST_PART)
            while plain:
                yield plain
                plain = decompressor.decompress(decompressor.unconsumed_tail, LARGEST_PART)
        yield decompressor.flush()
    except zlib.error:
        raise ProviderError(
            f"{what} was written by something else than kubo; choose another one: kubo backups"
        ) from None


def _manifest(content: bytes, what: str) -> Manifest:
    try:
        return Manifest.from_dict(json.loads(content))
    except (KeyError, ValueError, TypeError):
        raise ProviderError(f"{what} has a manifest nobody understands; choose another one: kubo backups") from None
