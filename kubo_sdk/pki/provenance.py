"""Works out from a value what it was generated from, for a store that takes it over from another.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubo_sdk.pki.certificates import is_authority, load_bundle
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

_USAGES = ("digital_signature", "key_encipherment", "key_cert_sign", "crl_sign")
_EXTENDED = {ExtendedKeyUsageOID.SERVER_AUTH: "server_auth", ExtendedKeyUsageOID.CLIENT_AUTH: "client_auth"}


def parameters_of(
    name: str, kind: Kind, value: CredentialValue, authorities: Mapping[str, x509.Certificate]
) -> Parameters | None:
    """What the value of the credential *name* was generated from, or None where no store generates such a thing.

    *authorities*: the certificates that may have signed it, by the names of their credentials.  None as well for a
    certificate that none of them signed.
    """
    match value:
        case Text():
            return PasswordParameters(length=len(value.text)) if kind is Kind.PASSWORD else None
        case User():
            return UserParameters(username=value.username, length=len(value.password))
        case KeyPair():
            return _of_key_pair(kind, value, name)
        case _:
            return _of_certificate(value, name, authorities)


def own_authority(name: str, value: CredentialValue) -> x509.Certificate | None:
    """The certificate in the value of the credential *name* where it is one that may sign others."""
    if not isinstance(value, Certificate) or not value.certificate:
        return None
    certificate = load_bundle(value.certificate, name)[0]
    return certificate if is_authority(certificate) else None


def is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether *authority* signed *certificate*."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _of_key_pair(kind: Kind, value: KeyPair, name: str) -> Parameters | None:
    if kind is Kind.SSH:
        words = value.public_key.split(maxsplit=2)
        return SshParameters(comment=words[2].strip() if len(words) > 2 else "")
    key = load_private_key(value.private_key, name)
    return RsaParameters(key_length=key.key_size) if isinstance(key, rsa.RSAPrivateKey) else None


def _of_certificate(
    value: Certificate, name: str, authorities: Mapping[str, x509.Certificate]
) -> CertificateParameters | None:
    certificate = load_bundle(value.certificate, name)[0]
    signs_itself = is_issued_by(certificate, certificate)
    others = (each for each, authority in authorities.items() if is_issued_by(certificate, authority))
    ca = None if signs_itself else next(others, None)
    if ca is None and not (signs_itself and is_authority(certificate)):
        return None
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return CertificateParameters(
        common_name=_name(certificate, NameOID.COMMON_NAME),
        organization=_name(certificate, NameOID.ORGANIZATION_NAME),
        alternative_names=_alternatives(certificate),
        key_usage=_key_usage(certificate),
        extended_key_usage=_extended_key_usage(certificate),
        ca=ca,
        is_ca=is_authority(certificate),
        duration_days=max(1, life.days),
    )


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None


def _alternatives(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _key_usage(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        granted = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(usage for usage in _USAGES if getattr(granted, usage))


def _extended_key_usage(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        granted = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(_EXTENDED[oid] for oid in granted if oid in _EXTENDED)
