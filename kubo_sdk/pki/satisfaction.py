"""Says whether a stored credential is still what is wished for.  The certificate itself is the truth.  Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubo_sdk.pki.generate import kind_of
from kubo_sdk.ports.credentials import Certificate, CertificateParameters, Credential, Parameters

_USAGES = {"server_auth": ExtendedKeyUsageOID.SERVER_AUTH, "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH}


def satisfies(credential: Credential, wanted: Parameters, credentials: Mapping[str, Credential]) -> bool:
    """True when *credential* says what *wanted* says.

    *credentials* holds the cluster's credentials by leaf name: a certificate must be signed by its CA's newest version.
    """
    if credential.kind is not kind_of(wanted):
        return False
    if not credential.generated:
        return True
    if not isinstance(wanted, CertificateParameters) or not isinstance(credential.value, Certificate):
        return True
    certificate = x509.load_pem_x509_certificate(credential.value.certificate.encode())
    return (
        _names(certificate) == (wanted.common_name, wanted.organization)
        and _alternatives(certificate) == set(wanted.alternative_names)
        and _extended_usages(certificate) == {_USAGES[usage] for usage in wanted.extended_key_usage}
        and _is_signed_by(credential.value, wanted, credentials)
    )


def _names(certificate: x509.Certificate) -> tuple[str | None, str | None]:
    def value(oid: x509.ObjectIdentifier) -> str | None:
        found = certificate.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else None

    return value(NameOID.COMMON_NAME), value(NameOID.ORGANIZATION_NAME)


def _alternatives(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names}


def _extended_usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def _is_signed_by(value: Certificate, wanted: CertificateParameters, credentials: Mapping[str, Credential]) -> bool:
    if wanted.ca is None:
        return True
    authority = credentials.get(wanted.ca.rsplit("/", 1)[-1])
    if authority is None or not isinstance(authority.value, Certificate):
        return False
    return authority.value.certificate.strip() in value.ca
