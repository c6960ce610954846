"""Tokens of service accounts: who signed one, and the same one signed with another key.  Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from kubo_sdk.errors import ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.keys import load_private_key
from kubo_sdk.ports.credentials import KeyPair

PARTS = 3


def key_id(pair: KeyPair) -> str:
    """What Kubernetes calls that key in the head of every token it signs."""
    der = _public(pair).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _encode(hashlib.sha256(der).digest())


def named_key(head: str) -> str:
    """Which key the *head* of a token names, the part before its first dot; empty where it names none."""
    try:
        told = json.loads(_decode(head.rstrip(".").encode()))
    except (binascii.Error, ValueError):
        return ""
    return str(told.get("kid", "")) if isinstance(told, dict) else ""


def is_signed_by(token: Secret, pair: KeyPair) -> bool:
    """Whether that key made the token's signature.  False for what is no token."""
    said, _, signature = token.reveal_bytes().rpartition(b".")
    try:
        _public(pair).verify(_decode(signature), said, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return said.count(b".") == PARTS - 2


def signed_anew(token: Secret, pair: KeyPair) -> Secret:
    """The token with the same claims, signed with that key.  Check first who signed it: claims are not looked at."""
    key = load_private_key(pair.private_key, "service-account")
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _no_rsa()
    claims = token.reveal_bytes().split(b".")[1]
    head = _encode(json.dumps({"alg": "RS256", "kid": key_id(pair)}, separators=(",", ":")).encode())
    said = head.encode() + b"." + claims
    return Secret(said + b"." + _encode(key.sign(said, padding.PKCS1v15(), SHA256())).encode())


def _public(pair: KeyPair) -> rsa.RSAPublicKey:
    key = load_pem_public_key(pair.public_key.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise _no_rsa()
    return key


def _no_rsa() -> ProviderError:
    return ProviderError(
        "the credential service-account holds no RSA key, so the tokens it signed cannot be signed anew; put an RSA key"
    )


def _encode(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
