"""Turns CredHub's versions into the port's credentials.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve

from kubo_sdk.errors import ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.certificates import expires_at, join_bundles
from kubo_sdk.ports.credentials import (
    Certificate,
    Credential,
    CredentialSummary,
    CredentialValue,
    KeyPair,
    Kind,
    Text,
    User,
)
from kubo_sdk_credhub.api.answers import Version
from kubo_sdk_credhub.keeping.marks import origin


def signing(current: Sequence[Version]) -> Version:
    """Of the versions in use the one that signs."""
    return next((each for each in current if not each.transitional), current[0])


def transitional(current: Sequence[Version]) -> Version | None:
    """Of the versions in use the one that is trusted besides."""
    return next((each for each in current if each.transitional), None)


def in_use(current: Sequence[Version]) -> Credential:
    """What `get` gives for the versions in use; a rotated authority names both, since CredHub joins those of leaves."""
    version = signing(current)
    return with_both(credential(version), credential(transitional(current) or version))


def with_both(own: Credential, other: Credential) -> Credential:
    """*own* with the certificate of *other* in its ``ca`` besides, when both are versions of an authority."""
    if own.version == other.version or not (
        isinstance(own.value, Certificate) and isinstance(other.value, Certificate)
    ):
        return own
    return evolve(own, value=evolve(own.value, ca=join_bundles(own.value.ca, other.value.certificate, own.name)))


def credential(version: Version) -> Credential:
    """One version.  ProviderError when CredHub sent a type or a value that is none."""
    kind = kind_of_version(version)
    value = _value(kind, version)
    return Credential(
        name=version.name,
        kind=kind,
        version=version.id,
        created_at=version.created_at,
        value=value,
        expires_at=_expires_at(version, value),
        generated=origin(version).generated,
        transitional=version.transitional,
    )


def summary(found: Credential) -> CredentialSummary:
    """What may be known of *found* without its value."""
    return CredentialSummary(
        name=found.name,
        kind=found.kind,
        version=found.version,
        created_at=found.created_at,
        expires_at=found.expires_at,
    )


def kind_of_version(version: Version) -> Kind:
    """Its kind; ProviderError for a type that a later CredHub may have."""
    try:
        return Kind(version.type.lower())
    except ValueError:
        raise ProviderError(
            f"{version.name} is of the type {version.type!r}, which this release does not know"
        ) from None


def _expires_at(version: Version, value: CredentialValue) -> datetime | None:
    if not isinstance(value, Certificate):
        return None
    if version.expires_at is None and value.certificate:
        return expires_at(value.certificate, version.name)
    return version.expires_at


def _value(kind: Kind, version: Version) -> CredentialValue:
    held = version.value
    if kind is Kind.JSON:
        return Text(text=Secret(json.dumps(held, ensure_ascii=False)))
    if kind in (Kind.VALUE, Kind.PASSWORD):
        if not isinstance(held, str):
            raise ProviderError(
                f"CredHub sent {version.name} as a {kind} and no text with it; look at its stored value"
            )
        return Text(text=Secret(held))
    if not isinstance(held, Mapping):
        raise ProviderError(f"CredHub sent {version.name} as a {kind} without its parts; look at its stored value")
    return _parts(kind, held)


def _parts(kind: Kind, held: Mapping[str, Any]) -> CredentialValue:
    def part(name: str) -> str:
        return str(held.get(name) or "")

    if kind is Kind.USER:
        return User(username=part("username"), password=Secret(part("password")))
    if kind is Kind.CERTIFICATE:
        return Certificate(certificate=part("certificate"), private_key=Secret(part("private_key")), ca=part("ca"))
    return KeyPair(public_key=part("public_key"), private_key=Secret(part("private_key")))
