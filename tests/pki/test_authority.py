"""What stands in an issued certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kubo_sdk.errors import ConfigError, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.authority import issue
from kubo_sdk.pki.certificates import expires_at, load_bundle
from kubo_sdk.pki.keys import load_private_key, same_key
from kubo_sdk.ports.credentials import Certificate, CertificateParameters

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CA = CertificateParameters(common_name="kubo-ca", is_ca=True, duration_days=3650)
LEAF = CertificateParameters(
    common_name="kube-apiserver",
    organization="system:masters",
    alternative_names=("10.0.0.1", "fd00::1", "kubernetes.default", "*.kubo.internal"),
    key_usage=("digital_signature", "key_encipherment"),
    extended_key_usage=("server_auth", "client_auth"),
    ca="/kubo/demo/ca",
)
AUTHORITY = issue(CA, now=NOW)


def parsed(value: Certificate) -> x509.Certificate:
    return load_bundle(value.certificate, "it")[0]


def extension(value: Certificate, cls):
    return parsed(value).extensions.get_extension_for_class(cls)


def test_a_leaf_says_what_was_asked_for() -> None:
    leaf = issue(LEAF, now=NOW, ca=AUTHORITY)
    subject = [(attribute.oid, attribute.value) for attribute in parsed(leaf).subject]
    assert subject == [(NameOID.ORGANIZATION_NAME, "system:masters"), (NameOID.COMMON_NAME, "kube-apiserver")]
    assert parsed(leaf).issuer == parsed(AUTHORITY).subject
    names = extension(leaf, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.0.0.1"), ip_address("fd00::1")]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default", "*.kubo.internal"]
    usages = extension(leaf, x509.ExtendedKeyUsage).value
    assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    usage = extension(leaf, x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, True)
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.content_commitment) == (False, False, False)


def test_basic_constraints_are_critical_and_tell_authorities_from_leaves() -> None:
    for value, is_ca in ((AUTHORITY, True), (issue(LEAF, now=NOW, ca=AUTHORITY), False)):
        constraints = extension(value, x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value.ca is is_ca


def test_an_authority_may_sign_without_being_told() -> None:
    usage = extension(AUTHORITY, x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_key_identifiers_chain_from_leaf_to_authority() -> None:
    leaf = issue(LEAF, now=NOW, ca=AUTHORITY)
    authority_identifier = extension(AUTHORITY, x509.SubjectKeyIdentifier).value.digest
    assert extension(leaf, x509.AuthorityKeyIdentifier).value.key_identifier == authority_identifier
    assert extension(AUTHORITY, x509.AuthorityKeyIdentifier).value.key_identifier == authority_identifier
    assert extension(leaf, x509.SubjectKeyIdentifier).value.digest != authority_identifier


def test_a_certificate_is_valid_from_five_minutes_ago_for_its_days() -> None:
    leaf = issue(evolve(LEAF, duration_days=10), now=NOW, ca=AUTHORITY)
    assert parsed(leaf).not_valid_before_utc == NOW - timedelta(minutes=5)
    assert parsed(leaf).not_valid_after_utc == NOW + timedelta(days=10) == expires_at(leaf.certificate, "it")


def test_a_certificate_never_outlives_its_authority() -> None:
    leaf = issue(evolve(LEAF, duration_days=36500), now=NOW + timedelta(days=3000), ca=AUTHORITY)
    assert parsed(leaf).not_valid_after_utc == parsed(AUTHORITY).not_valid_after_utc


def test_serials_are_random_numbers_of_128_bits() -> None:
    serials = [parsed(issue(LEAF, now=NOW, ca=AUTHORITY)).serial_number for _ in range(64)]
    assert len(set(serials)) == 64
    assert 120 < max(serials).bit_length() <= 129
    assert all(serial > 0 for serial in serials)


def test_a_self_signed_authority_is_its_own_bundle() -> None:
    assert AUTHORITY.ca == AUTHORITY.certificate
    parsed(AUTHORITY).verify_directly_issued_by(parsed(AUTHORITY))


def test_a_leaf_holds_its_authoritys_certificate_word_for_word() -> None:
    assert issue(LEAF, now=NOW, ca=AUTHORITY).ca == AUTHORITY.certificate


def test_while_a_ca_is_rotated_the_signing_one_comes_first_in_the_bundle() -> None:
    new = issue(CA, now=NOW)
    rotating = evolve(new, ca=AUTHORITY.ca + new.ca)
    bundle = load_bundle(issue(LEAF, now=NOW, ca=rotating).ca, "it")
    assert bundle == (parsed(new), parsed(AUTHORITY))


def test_an_intermediate_authority_hands_on_its_root() -> None:
    middle = issue(evolve(CA, common_name="middle", ca="/kubo/demo/ca"), now=NOW, ca=AUTHORITY)
    leaf = issue(LEAF, now=NOW, ca=middle)
    assert load_bundle(leaf.ca, "it") == (parsed(middle), parsed(AUTHORITY))
    parsed(leaf).verify_directly_issued_by(parsed(middle))


@pytest.mark.parametrize(
    ("algorithm", "cls", "size", "digest"),
    [
        (KeyAlgorithm.ECDSA_P256, ec.EllipticCurvePublicKey, 256, "sha256"),
        (KeyAlgorithm.ECDSA_P384, ec.EllipticCurvePublicKey, 384, "sha384"),
        (KeyAlgorithm.RSA_2048, rsa.RSAPublicKey, 2048, "sha256"),
    ],
)
def test_the_key_has_the_algorithm_asked_for(algorithm: KeyAlgorithm, cls, size: int, digest: str) -> None:
    made = issue(CA, now=NOW, algorithm=algorithm)
    key = parsed(made).public_key()
    assert isinstance(key, cls)
    assert key.key_size == size
    assert parsed(made).signature_hash_algorithm.name == digest
    assert same_key(load_private_key(made.private_key, "it").public_key(), key)


def test_an_authority_of_another_make_can_sign() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bought")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=99))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    pem = certificate.public_bytes(Encoding.PEM).decode()
    private = Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    leaf = issue(LEAF, now=NOW, ca=Certificate(certificate=f"bought on Monday\n{pem}", private_key=private, ca=""))
    parsed(leaf).verify_directly_issued_by(certificate)


@pytest.mark.parametrize(
    ("ca", "complaint"),
    [
        (issue(LEAF, now=NOW, ca=AUTHORITY), "is no CA"),
        (evolve(AUTHORITY, private_key=issue(CA, now=NOW).private_key), "does not belong to its certificate"),
        (issue(evolve(CA, duration_days=1), now=NOW - timedelta(days=2)), "expired on 2026-02-28"),
        (evolve(AUTHORITY, private_key=Secret("")), "private key of /kubo/demo/ca cannot be read"),
        (evolve(AUTHORITY, certificate="nothing"), "certificate of /kubo/demo/ca cannot be read"),
        (evolve(AUTHORITY, ca="nothing"), "certificate of /kubo/demo/ca cannot be read"),
    ],
)
def test_an_authority_that_cannot_sign_is_refused_by_its_name(ca: Certificate, complaint: str) -> None:
    with pytest.raises(ProviderError, match=complaint) as refused:
        issue(LEAF, now=NOW, ca=ca)
    assert "/kubo/demo/ca" in str(refused.value)


def test_every_problem_is_told_at_once() -> None:
    wrong = CertificateParameters(
        common_name="x" * 65,
        organization="",
        alternative_names=("fine.example", "not a name", "-x", "a" * 64 + ".example", "300.1.1.1.", ""),
        key_usage=("signing",),
        extended_key_usage=("serverAuth",),
        duration_days=0,
    )
    with pytest.raises(ConfigError) as refused:
        issue(wrong, now=NOW)
    problems = "\n".join(refused.value.problems)
    assert len(refused.value.problems) == 11
    for part in ("common name", "organization", "'not a name'", "'-x'", "'signing'", "'serverAuth'", "days", "CA"):
        assert part in problems


def test_a_certificate_names_somebody_by_common_name_or_organization() -> None:
    leaf = issue(evolve(LEAF, common_name=None), now=NOW, ca=AUTHORITY)
    assert [attribute.value for attribute in parsed(leaf).subject] == ["system:masters"]
    with pytest.raises(ConfigError, match="names nobody"):
        issue(evolve(LEAF, common_name=None, organization=None), now=NOW, ca=AUTHORITY)


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
dns_names = st.lists(labels, min_size=2, max_size=4).map(lambda parts: ".".join([*parts, "example"]))
addresses = st.ip_addresses().map(str)


@settings(max_examples=40)
@given(st.lists(dns_names | addresses, max_size=6, unique=True), st.integers(1, 3000))
def test_names_and_addresses_find_their_own_places(names: list[str], days: int) -> None:
    leaf = issue(evolve(LEAF, alternative_names=tuple(names), duration_days=days), now=NOW, ca=AUTHORITY)
    if not names:
        with pytest.raises(x509.ExtensionNotFound):
            extension(leaf, x509.SubjectAlternativeName)
        return
    found = extension(leaf, x509.SubjectAlternativeName).value
    assert sorted(str(name.value) for name in found) == sorted(names)
    assert {str(address) for address in found.get_values_for_type(x509.IPAddress)} == {
        name for name in names if not name.endswith("example")
    }
