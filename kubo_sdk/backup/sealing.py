"""Seals a stream as it is written, and opens it as it is read: AES-256-GCM in chunks that cannot be cut or swapped.

A file is a line that says its format, a line of JSON about the key, and chunks.  Each chunk's nonce holds its number
and whether it is the last, so a file that was cut short or put together anew does not open.  The key of the chunks is
derived from the backup key and a random salt: no two files share one.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kubo_sdk.backup.keys import BackupKey
from kubo_sdk.errors import AuthError, ProviderError
from kubo_sdk.model.secret import Secret

FORMAT = 1
HEADING = b"kubo-backup"
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
SALT_BYTES = 32
LONGEST_LINE = 4096


class SealingWriter:
    """What is given to `write` goes sealed to *write*; `finish` must follow."""

    def __init__(self, write: Callable[[bytes], object], key: BackupKey) -> None:
        self._write = write
        self._number = 0
        self._held = bytearray()
        about, secret = key.new()
        salt = os.urandom(SALT_BYTES)
        header = {**about, "salt": base64.b64encode(salt).decode(), "check": _check(secret, salt)}
        lines = b"%s %d\n%s\n" % (HEADING, FORMAT, json.dumps(header).encode())
        self._cipher, self._bound = _cipher(secret, salt), lines
        write(lines)

    def write(self, plain: bytes) -> None:
        self._held += plain
        while len(self._held) > CHUNK_BYTES:
            self._seal(bytes(self._held[:CHUNK_BYTES]), last=False)
            del self._held[:CHUNK_BYTES]

    def finish(self) -> None:
        """Seal what is left as the last chunk."""
        self._seal(bytes(self._held), last=True)
        self._held.clear()

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._write(self._cipher.encrypt(_nonce(self._number, last=last), plain, self._bound))
        self._number += 1


def unsealed(pieces: Iterable[bytes], key: BackupKey, what: str) -> Iterator[bytes]:
    """What was sealed, in chunks.  *what* names the file in errors.

    Raises AuthError for another key, ProviderError for what is no backup, of a newer format, cut short or altered.
    What was yielded before is genuine all the same.
    """
    source = _Source(pieces)
    lines = _lines(source, what)
    about = _header(lines, what)
    try:
        salt = base64.b64decode(str(about["salt"]), validate=True)
        secret = key.of(about)
    except (KeyError, ValueError, TypeError, binascii.Error):
        raise _damaged(what) from None
    if not hmac.compare_digest(str(about.get("check", "")), _check(secret, salt)):
        raise AuthError(f"{what} was sealed with another key than {key.name}; name the key it was made with")
    cipher, number = _cipher(secret, salt), 0
    sealed = source.take(CHUNK_BYTES + TAG_BYTES)
    while True:
        following = source.take(CHUNK_BYTES + TAG_BYTES)
        yield _opened(cipher, sealed, number, lines, what, last=not following)
        if not following:
            return
        sealed, number = following, number + 1


def _opened(cipher: AESGCM, sealed: bytes, number: int, bound: bytes, what: str, *, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, last=last), sealed, bound)
    except (InvalidTag, ValueError):
        if last and len(sealed) <= CHUNK_BYTES + TAG_BYTES:
            raise ProviderError(f"{what} is cut short or was altered; choose another one: kubo backups") from None
        raise _damaged(what) from None


def _lines(source: _Source, what: str) -> bytes:
    head = bytearray()
    while head.count(b"\n") < 2:
        byte = source.take(1)
        if not byte or len(head) > LONGEST_LINE:
            raise ProviderError(f"{what} is no backup of kubo, or is cut short; choose another one: kubo backups")
        head += byte
    return bytes(head)


def _header(lines: bytes, what: str) -> Mapping[str, Any]:
    first, second, _ = lines.split(b"\n")
    heading, _, number = first.partition(b" ")
    if heading != HEADING or not number.isdigit():
        raise ProviderError(f"{what} is no backup of kubo; choose another one: kubo backups")
    if int(number) > FORMAT:
        raise ProviderError(f"{what} was made by a newer kubo-sdk (format {int(number)}); use that one")
    try:
        about = json.loads(second)
    except ValueError:
        raise _damaged(what) from None
    if not isinstance(about, dict):
        raise _damaged(what)
    return about


def _damaged(what: str) -> ProviderError:
    return ProviderError(f"{what} was altered or is damaged; choose another one: kubo backups")


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">QI", number, last)


def _cipher(secret: Secret, salt: bytes) -> AESGCM:
    return AESGCM(_derived(secret, salt, b"kubo-backup chunks"))


def _check(secret: Secret, salt: bytes) -> str:
    return _derived(secret, salt, b"kubo-backup check")[:8].hex()


def _derived(secret: Secret, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(secret.reveal_bytes())


class _Source:
    """Pieces of any size, taken in sizes of one's own."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()

    def take(self, size: int) -> bytes:
        """*size* bytes; fewer only at the end."""
        while len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
