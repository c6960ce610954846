"""Successors: the leaves beside a key that is rotated, and the marks that tell two versions of one apart.  Pure.

Of an authority the credential store itself keeps two versions.  Of a key, one leaf beside it holds what it will be, and
one what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.planning.rotation import KEYS, next_leaf, previous_leaf
from kubo_sdk.ports.credentials import Certificate, Credential, KeyPair, Text, value_of

LENGTH = 16

K = TypeVar("K", Text, KeyPair)


def beside(instance: Instance) -> tuple[str, ...]:
    """The leaves that the machine of *instance* may see too, where they are."""
    if instance.role is not Role.MASTER:
        return ()
    return tuple(leaf for key in KEYS for leaf in (next_leaf(key), previous_leaf(key)))


def trusted_keys(credentials: Mapping[str, Credential], leaf: str, kind: type[K]) -> tuple[K, ...]:
    """The key that is used, then those that are known beside it."""
    found = [value_of(credentials, leaf, kind)]
    for each in (next_leaf(leaf), previous_leaf(leaf)):
        if each in credentials and (value := value_of(credentials, each, kind)) not in found:
            found.append(value)
    return tuple(found)


def mark_of(credential: Credential) -> str:
    """What only this version has, and gives nothing away: a digest of its certificate, public key or password."""
    match credential.value:
        case Certificate(certificate=pem):
            public = load_bundle(pem, credential.name)[0].public_bytes(Encoding.DER)
        case KeyPair(public_key=text):
            public = text.strip().encode()
        case Text(text=secret):
            public = hashlib.sha256(secret.reveal_bytes()).digest()
        case _:
            public = credential.version.encode()
    return hashlib.sha256(public).hexdigest()[:LENGTH]
