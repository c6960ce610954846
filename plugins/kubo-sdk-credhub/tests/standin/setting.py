"""Checks what is set, as CredHub does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from . import forge, words
from .vault import Version
from .words import Refused

if TYPE_CHECKING:
    from .service import Call

LARGEST = 65535
PARTS = {
    "user": {"username", "password", "password_hash"},
    "rsa": {"public_key", "private_key"},
    "ssh": {"public_key", "private_key", "public_key_fingerprint"},
    "certificate": {"ca", "ca_name", "certificate", "private_key"},
}


def version(call: Call, name: str, kind: str, value: Any) -> Version:
    """The version to be stored."""
    if value in (None, ""):
        raise Refused(400, words.NO_VALUE)
    if len(json.dumps(value)) > LARGEST:
        raise Refused(413, words.TOO_LARGE)
    if kind in ("value", "password"):
        if not isinstance(value, str):
            raise Refused(422, words.BAD_REQUEST)
        return Version(value=value, created=call.vault.now())
    if kind == "json":
        return Version(value=value, created=call.vault.now())
    return _structured(call, name, kind, value)


def _structured(call: Call, name: str, kind: str, value: Any) -> Version:
    if not isinstance(value, dict):
        raise Refused(422, words.BAD_REQUEST)
    for key in value:
        if key not in PARTS[kind]:
            raise Refused(422, words.unknown_key(key))
    parts = {key: part or None for key, part in value.items()}
    if kind == "user":
        if not parts.get("password"):
            raise Refused(400, "A password value must be specified for the credential.")
        parts = {"username": parts.get("username"), "password": parts["password"]}
    if kind in ("rsa", "ssh"):
        if not (parts.get("public_key") or parts.get("private_key")):
            raise Refused(400, "At least one key value must be set. Please validate your input and retry your request.")
        parts = {key: parts.get(key) for key in ("public_key", "private_key")}
    if kind == "certificate":
        return certificate(call, name, parts)
    return Version(value=parts, created=call.vault.now())


def certificate(call: Call, name: str, parts: dict[str, Any]) -> Version:
    if not (parts.get("certificate") or parts.get("private_key") or parts.get("ca")):
        raise Refused(400, "At least one certificate attribute must be set.")
    if parts.get("ca") and parts.get("ca_name"):
        raise Refused(400, words.CA_AND_NAME)
    if max(len(parts.get("certificate") or ""), len(parts.get("ca") or "")) >= 7000:
        raise Refused(400, words.CERTIFICATE_LENGTH)
    read = _read(parts.get("certificate"), words.CERTIFICATE_VALUE)
    if parts.get("private_key"):
        _check_key(read, parts["private_key"])
    ca = _authority(parts)
    ca_name = parts.get("ca_name")
    if forge.is_authority(read) and ca_name is None and read.subject == read.issuer:
        ca_name = name
    elif ca_name is not None:
        ca_name = "/" + ca_name.lstrip("/")
        ca = _active(call, ca_name)
        if not forge.is_signed_by(parts["certificate"], ca):
            raise Refused(400, words.NOT_SIGNED_NAME)
    value = {"certificate": parts["certificate"], "private_key": parts.get("private_key")}
    return Version(value=value, created=call.vault.now(), ca=ca, ca_name=ca_name, generated=False)


def _authority(parts: dict[str, Any]) -> str | None:
    ca = parts.get("ca")
    if not ca:
        return None
    if not forge.is_authority(_read(ca, words.CA_VALUE)):
        raise Refused(400, words.CA_VALUE)
    if not forge.is_signed_by(parts["certificate"], ca):
        raise Refused(400, words.NOT_SIGNED)
    return str(ca)


def _active(call: Call, ca_name: str) -> str:
    call.require("read", ca_name, words.CA_ACCESS)
    entry = call.vault.entry(ca_name)
    active = None if entry is None or entry.type != "certificate" else entry.signing()
    if active is None:
        raise Refused(404, words.CA_ACCESS)
    return active.pem


def _read(pem: Any, error: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(str(pem).encode())
    except ValueError:
        raise Refused(400, error) from None


def _check_key(read: x509.Certificate, pem: str) -> None:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise Refused(400, words.MALFORMED_KEY) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Refused(400, words.MALFORMED_KEY)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != read.public_key().public_bytes(*form):
        raise Refused(400, words.WRONG_KEY)
