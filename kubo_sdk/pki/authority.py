"""Issues certificates: self-signed CAs and what they sign.  Knows no store and no clock."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from kubo_sdk.errors import ProviderError
from kubo_sdk.pki import subject
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.certificates import is_authority, join_bundles, load_bundle
from kubo_sdk.pki.keys import PrivateKey, load_private_key, make_key, private_pem, same_key
from kubo_sdk.ports.credentials import Certificate, CertificateParameters

# A machine whose clock is a little behind would otherwise refuse a certificate "from the future".
BACKDATING = timedelta(minutes=5)
SERIAL_BITS = 128


@frozen(kw_only=True)
class Issuer:
    """Who signs.  ``bundle`` is what a certificate's ``ca`` will say: the signing CA first, then all it trusts."""

    name: x509.Name
    key: PrivateKey = field(repr=False)
    identifier: x509.SubjectKeyIdentifier
    not_after: datetime
    bundle: str = field(repr=False)


def issue(
    parameters: CertificateParameters,
    *,
    now: datetime,
    algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
    ca: Certificate | None = None,
) -> Certificate:
    """A new certificate with a new key, valid from five minutes before *now* and never longer than its CA.

    *ca* is the value of the credential that ``parameters.ca`` names, None for a CA that signs itself.
    Raises ConfigError with every problem of *parameters*, ProviderError when *ca* cannot sign.
    """
    subject.check(parameters)
    key = make_key(algorithm)
    if ca is None:
        text = _sign(parameters, key, _own_issuer(parameters, key), now)
        return Certificate(certificate=text, private_key=private_pem(key), ca=text)
    issuer = load_issuer(ca, parameters.ca or "", now)
    return Certificate(certificate=_sign(parameters, key, issuer, now), private_key=private_pem(key), ca=issuer.bundle)


def load_issuer(ca: Certificate, owner: str, now: datetime) -> Issuer:
    """The CA credential *ca*, called *owner*, as a signer; ProviderError says why it cannot be one."""
    certificate = load_bundle(ca.certificate, owner)[0]
    key = load_private_key(ca.private_key, owner)
    if not is_authority(certificate):
        raise ProviderError(f"{owner} is no CA, so it cannot sign; name a credential made with is_ca")
    if not same_key(key.public_key(), certificate.public_key()):
        raise ProviderError(f"the private key of {owner} does not belong to its certificate; store the pair again")
    if certificate.not_valid_after_utc <= now:
        raise ProviderError(f"{owner} expired on {certificate.not_valid_after_utc:%Y-%m-%d}; make a new CA first")
    return Issuer(
        name=certificate.subject,
        key=key,
        identifier=_identifier(certificate),
        not_after=certificate.not_valid_after_utc,
        bundle=join_bundles(ca.certificate, ca.ca, owner),
    )


def _own_issuer(parameters: CertificateParameters, key: PrivateKey) -> Issuer:
    return Issuer(
        name=subject.distinguished_name(parameters),
        key=key,
        identifier=x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        not_after=datetime.max.replace(tzinfo=UTC),
        bundle="",
    )


def _identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())


def _sign(parameters: CertificateParameters, key: PrivateKey, issuer: Issuer, now: datetime) -> str:
    public = key.public_key()
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.identifier)
    builder = (
        x509.CertificateBuilder()
        .serial_number(1 + secrets.randbits(SERIAL_BITS))
        .subject_name(subject.distinguished_name(parameters))
        .issuer_name(issuer.name)
        .public_key(public)
        .not_valid_before(now - BACKDATING)
        .not_valid_after(min(now + timedelta(days=parameters.duration_days), issuer.not_after))
        .add_extension(x509.BasicConstraints(ca=parameters.is_ca, path_length=None), critical=True)
        .add_extension(subject.key_usage(parameters), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(authority, critical=False)
    )
    if extended := subject.extended_key_usage(parameters):
        builder = builder.add_extension(extended, critical=False)
    if names := subject.general_names(parameters):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.key, _digest(issuer.key)).public_bytes(Encoding.PEM).decode()


def _digest(key: PrivateKey) -> SHA256 | SHA384 | None:
    """The digest that fits the signer's strength; Ed25519 brings its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256 else SHA256()
