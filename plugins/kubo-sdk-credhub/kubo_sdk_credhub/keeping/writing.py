"""Turns the port's values and parameters into what CredHub is asked.  Pure."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from kubo_sdk.errors import ConfigError
from kubo_sdk.pki.keys import load_private_key
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
from kubo_sdk_credhub.api.orders import CertificateOrder, Order, PasswordOrder, RsaOrder, SshOrder, UserOrder
from kubo_sdk_credhub.names import checked, same_name

LONGEST_CERTIFICATE = 7000

_VALUES: dict[Kind, type[CredentialValue]] = {
    Kind.VALUE: Text,
    Kind.JSON: Text,
    Kind.PASSWORD: Text,
    Kind.USER: User,
    Kind.CERTIFICATE: Certificate,
    Kind.RSA: KeyPair,
    Kind.SSH: KeyPair,
}
# A CA without usages is refused by what checks certificates strictly, and the server's own default is none.
_CA_USAGE = ("key_cert_sign", "crl_sign")
_LEAF_USAGE = ("digital_signature",)


def order_of(name: str, parameters: Parameters, key_length: int) -> Order:
    """What CredHub is asked to make.  *key_length*: bits of the keys of certificates."""
    match parameters:
        case PasswordParameters():
            return PasswordOrder(length=parameters.length)
        case UserParameters():
            return UserOrder(username=parameters.username, length=parameters.length)
        case RsaParameters():
            return RsaOrder(key_length=parameters.key_length)
        case SshParameters():
            return SshOrder(ssh_comment=parameters.comment)
        case _:
            return _certificate_order(name, parameters, key_length)


def _certificate_order(name: str, parameters: CertificateParameters, key_length: int) -> CertificateOrder:
    """CredHub compares lists in their order, so they get one."""
    if parameters.ca is not None and same_name(parameters.ca, name):
        raise ConfigError([f"{name} names itself as its CA; leave ca out, and a CA signs itself"])
    return CertificateOrder(
        common_name=parameters.common_name,
        organization=parameters.organization,
        alternative_names=tuple(sorted(set(parameters.alternative_names))),
        key_usage=tuple(sorted(set(parameters.key_usage or (_CA_USAGE if parameters.is_ca else _LEAF_USAGE)))),
        extended_key_usage=tuple(sorted(set(parameters.extended_key_usage))),
        key_length=key_length,
        duration=parameters.duration_days,
        ca=None if parameters.ca is None else checked(parameters.ca),
        is_ca=parameters.is_ca,
    )


def body_of(name: str, kind: Kind, value: CredentialValue, ca_name: str | None = None) -> Any:
    """The ``value`` of a set request.  With *ca_name* CredHub takes the CA from there and checks that it signed.

    ConfigError when it is no *kind*, or nothing CredHub would store.
    """
    if not isinstance(value, _VALUES[kind]):
        raise ConfigError([f"{name}: a {kind} is a {_VALUES[kind].__name__}, not a {type(value).__name__}"])
    match value:
        case Text():
            return _text(name, kind, value)
        case User():
            return {"username": value.username, "password": value.password.reveal()}
        case KeyPair():
            return _present(public_key=value.public_key, private_key=value.private_key.reveal())
        case _:
            return _certificate(name, value, ca_name)


def _text(name: str, kind: Kind, value: Text) -> Any:
    if len(value.text) == 0:
        raise ConfigError([f"{name}: a {kind} must not be empty"])
    if kind is not Kind.JSON:
        return value.text.reveal()
    try:
        return json.loads(value.text.reveal_bytes())
    except ValueError:
        pass  # the error would carry the text along
    raise ConfigError([f"{name}: its value is not JSON"])


def _certificate(name: str, value: Certificate, ca_name: str | None) -> dict[str, str]:
    for part, pem in (("certificate", value.certificate), ("CA", value.ca)):
        if len(pem) >= LONGEST_CERTIFICATE:
            limit = f"CredHub takes less than {LONGEST_CERTIFICATE}"
            raise ConfigError([f"{name}: its {part} has {len(pem)} characters and {limit}; store a shorter chain"])
    if len(value.private_key) and not isinstance(load_private_key(value.private_key, name), rsa.RSAPrivateKey):
        raise ConfigError(
            [f"{name}: CredHub keeps RSA keys alone, and this one is another; have it made anew with RSA"]
        )
    ca = {"ca_name": ca_name} if ca_name else {"ca": value.ca}
    return _present(certificate=value.certificate, private_key=value.private_key.reveal(), **ca)


def _present(**parts: str) -> dict[str, str]:
    return {name: part for name, part in parts.items() if part}
