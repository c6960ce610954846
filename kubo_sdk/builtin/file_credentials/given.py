"""Checks what a person puts into the store."""

from __future__ import annotations

import json
from datetime import datetime

from kubo_sdk.builtin.file_credentials.payload import value_type
from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.pki.keys import load_private_key, same_key
from kubo_sdk.ports.credentials import Certificate, CredentialValue, Kind, Text


def check_given(name: str, kind: Kind, value: CredentialValue) -> datetime | None:
    """When the value expires, or None; ConfigError when it is no *kind*, ProviderError when its PEM is unusable."""
    if not isinstance(value, value_type(kind)):
        raise ConfigError([f"{name}: a {kind} is a {value_type(kind).__name__}, not a {type(value).__name__}"])
    if isinstance(value, Text):
        _check_text(name, kind, value.text)
    return _check_certificate(name, value) if isinstance(value, Certificate) else None


def _check_text(name: str, kind: Kind, text: Secret) -> None:
    if len(text) == 0:
        raise ConfigError([f"{name}: a {kind} must not be empty"])
    if kind is Kind.JSON and not _is_json(text):
        raise ConfigError([f"{name}: its value is not JSON"])


def _is_json(text: Secret) -> bool:
    try:
        json.loads(text.reveal_bytes())
    except ValueError:
        return False
    return True


def _check_certificate(name: str, value: Certificate) -> datetime:
    """A certificate may come without its key, as a trust anchor does; with it, the two must belong together."""
    certificate = load_bundle(value.certificate, name)[0]
    if value.ca.strip():
        load_bundle(value.ca, f"the CA of {name}")
    if len(value.private_key) > 0:
        key = load_private_key(value.private_key, name)
        if not same_key(key.public_key(), certificate.public_key()):
            raise ConfigError([f"{name}: the private key does not belong to the certificate"])
    return certificate.not_valid_after_utc
