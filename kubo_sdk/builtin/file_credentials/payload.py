"""Writes what a row keeps secret as bytes and reads it back.  Pure."""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs

from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    CredentialValue,
    KeyPair,
    Kind,
    Parameters,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    Text,
    User,
    UserParameters,
)

_VALUES: dict[Kind, type[CredentialValue]] = {
    Kind.VALUE: Text,
    Kind.JSON: Text,
    Kind.PASSWORD: Text,
    Kind.USER: User,
    Kind.CERTIFICATE: Certificate,
    Kind.RSA: KeyPair,
    Kind.SSH: KeyPair,
}
_PARAMETERS: dict[Kind, type[Parameters]] = {
    Kind.PASSWORD: PasswordParameters,
    Kind.USER: UserParameters,
    Kind.CERTIFICATE: CertificateParameters,
    Kind.RSA: RsaParameters,
    Kind.SSH: SshParameters,
}


@attrs.frozen(kw_only=True)
class Payload:
    """A value, what it was generated from, and the version of the CA that signed it.

    ``transitional``: an authority that is trusted beside the one that signs.
    """

    value: CredentialValue
    parameters: Parameters | None = None
    ca_version: str | None = None
    transitional: bool = False


def value_type(kind: Kind) -> type[CredentialValue]:
    """The class that values of *kind* have."""
    return _VALUES[kind]


def encode(payload: Payload) -> Secret:
    """The payload as JSON; secrets may be any bytes, so they are base64."""
    return Secret(
        json.dumps(
            {
                "value": {name: _plain(part) for name, part in _fields(payload.value).items()},
                "parameters": payload.parameters and _fields(payload.parameters),
                "ca_version": payload.ca_version,
                **({"transitional": True} if payload.transitional else {}),
            },
            separators=(",", ":"),
        )
    )


def decode(kind: Kind, encoded: Secret) -> Payload:
    """What `encode` was given.  Fields that a later release added are left out."""
    document = json.loads(encoded.reveal())
    parameters = document["parameters"]
    return Payload(
        value=_build(_VALUES[kind], document["value"]),
        parameters=None if parameters is None else _build(_PARAMETERS[kind], parameters),
        ca_version=document["ca_version"],
        transitional=document.get("transitional", False),
    )


def _fields(value: Any) -> dict[str, Any]:
    return attrs.asdict(value, recurse=False)


def _plain(part: Any) -> Any:
    return base64.b64encode(part.reveal_bytes()).decode() if isinstance(part, Secret) else part


def _build(cls: type[Any], document: dict[str, Any]) -> Any:
    def typed(field: attrs.Attribute[Any]) -> Any:
        found = document[field.name]
        if field.type in (Secret, "Secret"):
            return Secret(base64.b64decode(found))
        return tuple(found) if isinstance(found, list) else found

    return cls(**{field.name: typed(field) for field in attrs.fields(cls) if field.name in document})
