"""How CredHub shows a version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from . import forge
from .vault import Entry, Version


def moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def view(entry: Entry, version: Version, *, concatenates: bool = False, generating: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": entry.type,
        "version_created_at": moment(version.created),
        "id": version.id,
        "name": entry.name,
        "metadata": version.metadata,
        "value": _value(entry, version, concatenates),
    }
    if entry.type == "certificate":
        shown |= about(version)
        if generating:
            parameters = forge.parameters_of(version.pem)
            shown |= {"duration_overridden": False, "duration_used": parameters["duration"]}
            shown["key_length"] = parameters["key_length"]
    return shown


def about(version: Version) -> dict[str, Any]:
    """What is told of a certificate beside its value."""
    read = x509.load_pem_x509_certificate(version.pem.encode())
    told = {
        "expiry_date": moment(read.not_valid_after_utc),
        "certificate_authority": forge.is_authority(read),
        "self_signed": read.subject == read.issuer and forge.is_authority(read),
        "transitional": version.transitional,
    }
    return told if version.generated is None else {**told, "generated": version.generated}


def _value(entry: Entry, version: Version, concatenates: bool) -> Any:
    if entry.type == "certificate":
        ca = version.ca
        if concatenates and version.trusted_ca and ca:
            ca = f"{ca.strip()}\n{version.trusted_ca.strip()}\n"
        return {"ca": ca, "certificate": version.pem, "private_key": version.value.get("private_key")}
    if entry.type == "user":
        return {**version.value, "password_hash": forge.sha512_crypt(version.value["password"])}
    if entry.type == "ssh":
        return {**version.value, "public_key_fingerprint": forge.fingerprint(version.value["public_key"])}
    return version.value
