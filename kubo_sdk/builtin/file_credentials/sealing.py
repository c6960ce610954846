"""Seals values with AES-256-GCM, each bound to the row it stands in."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kubo_sdk.model.secret import Secret

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes were made with another key or for another row, or were altered."""


class Sealer:
    """Seals and opens with one key.  Threads may share it."""

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(key.reveal_bytes())

    def seal(self, plain: Secret, bound: bytes) -> bytes:
        """Nonce and ciphertext.  *bound* is not stored; opening takes the same bytes again."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain.reveal_bytes(), bound)

    def open(self, sealed: bytes, bound: bytes) -> Secret:
        """What `seal` was given; raises SealBroken."""
        try:
            return Secret(self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound))
        except (InvalidTag, ValueError, TypeError):
            raise SealBroken from None
