"""Key pairs to log in with, and to know a machine by."""

from __future__ import annotations

import contextlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.ssh import SSHPrivateKeyTypes

from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def new_key_pair(comment: str) -> tuple[Secret, str]:
    """A new Ed25519 pair: the private key in OpenSSH form, and the public one as a line of authorized_keys.

    ValueError when *comment* is no single line.
    """
    if not comment.isprintable():
        raise ValueError("the comment of a key is one line")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return Secret(private), f"{_line(key)} {comment}".rstrip()


def public_key_of(private: Secret) -> str:
    """The public half of a private key in OpenSSH or PEM form, as ``ssh-ed25519 AAAA...``; AuthError if it is none."""
    with contextlib.suppress(ValueError, TypeError, UnsupportedAlgorithm):
        return _line(_load(private.reveal_bytes()))
    # Not raised from the parser's error, which may quote the key.
    raise AuthError("the SSH key is no private key in OpenSSH or PEM form without a passphrase; give it another one")


def _load(text: bytes) -> SSHPrivateKeyTypes:
    if text.lstrip().startswith(_OPENSSH):
        return load_ssh_private_key(text.lstrip(), None)
    return load_pem_private_key(text, None)  # type: ignore[return-value]  # other kinds have no OpenSSH form


def _line(key: SSHPrivateKeyTypes) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
