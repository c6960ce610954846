"""Says whether a stored credential is still what is wished for.  The certificate itself is the truth.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubo_sdk.pki.generate import kind_of
from kubo_sdk.ports.credentials import Certificate, CertificateParameters, Credential, Parameters

_USAGES = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}

# As many as a few thousand machines have; each certificate is asked about in every plan and again when some are issued.
REMEMBERED = 8192


@frozen(kw_only=True)
class _Said:
    """What a certificate says, as far as it is wished for."""

    names: tuple[str | None, str | None]
    alternatives: frozenset[str]
    usages: frozenset[x509.ObjectIdentifier]


def satisfies(credential: Credential, wanted: Parameters, credentials: Mapping[str, Credential]) -> bool:
    """True when *credential* says what *wanted* says.

    *credentials* holds the cluster's credentials by leaf name: a certificate must be signed by the
    version of its CA that signs now.
    """
    if credential.kind is not kind_of(wanted):
        return False
    if not credential.generated:
        return True
    if not isinstance(wanted, CertificateParameters) or not isinstance(credential.value, Certificate):
        return True
    said = _said(credential.value.certificate)
    return (
        said.names == (wanted.common_name, wanted.organization)
        and said.alternatives == set(wanted.alternative_names)
        and said.usages == {_USAGES[usage] for usage in wanted.extended_key_usage}
        and _is_signed_by(credential.value, wanted, credentials)
    )


@lru_cache(REMEMBERED)
def _said(pem: str) -> _Said:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return _Said(
        names=_names(certificate), alternatives=_alternatives(certificate), usages=_extended_usages(certificate)
    )


def _names(certificate: x509.Certificate) -> tuple[str | None, str | None]:
    def value(oid: x509.ObjectIdentifier) -> str | None:
        found = certificate.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else None

    return value(NameOID.COMMON_NAME), value(NameOID.ORGANIZATION_NAME)


def _alternatives(certificate: x509.Certificate) -> frozenset[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in names)


def _extended_usages(certificate: x509.Certificate) -> frozenset[x509.ObjectIdentifier]:
    try:
        return frozenset(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def _is_signed_by(value: Certificate, wanted: CertificateParameters, credentials: Mapping[str, Credential]) -> bool:
    if wanted.ca is None:
        return True
    authority = credentials.get(wanted.ca.rsplit("/", 1)[-1])
    if authority is None or not isinstance(authority.value, Certificate):
        return False
    return _verifies(value.certificate, authority.value.certificate)


@lru_cache(REMEMBERED)
def _verifies(certificate: str, authority: str) -> bool:
    """Whether *authority*'s key made the signature: while it is rotated, what a leaf trusts says nothing of that."""
    leaf, signer = (x509.load_pem_x509_certificate(pem.encode()) for pem in (certificate, authority))
    try:
        leaf.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
