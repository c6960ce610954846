"""What every credential store promises about generating.  Part of `CredentialStoreContract`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key, load_ssh_public_key

from kubo_sdk.errors import NotFound
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
    CredentialStore,
    KeyPair,
    Kind,
    Mode,
    Parameters,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    Text,
    User,
    UserParameters,
)
from kubo_sdk.testing.contracts.contract import at_once

GENERATED: dict[Kind, Parameters] = {
    Kind.PASSWORD: PasswordParameters(),
    Kind.USER: UserParameters(username="etcd-root"),
    Kind.RSA: RsaParameters(),
    Kind.SSH: SshParameters(comment="kubo"),
    Kind.CERTIFICATE: CertificateParameters(
        common_name="some-ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"), duration_days=30
    ),
}


def leaf_parameters(ca: str) -> CertificateParameters:
    """A certificate such as nodes have."""
    return CertificateParameters(
        common_name="kube-apiserver",
        organization="system:masters",
        alternative_names=("10.100.200.1", "kubernetes.default.svc"),
        key_usage=("digital_signature", "key_encipherment"),
        extended_key_usage=("server_auth", "client_auth"),
        ca=ca,
        duration_days=10,
    )


class CredentialGenerationContract:
    """Run against an empty part of a real store; everything made is deleted again."""

    @pytest.fixture
    def store(self) -> CredentialStore:
        """The store to be judged."""
        raise NotImplementedError("give the contract a fixture 'store'")

    @pytest.fixture
    def home(self, store: CredentialStore) -> Iterator[str]:
        """A path of its own for each test."""
        path = f"/contract/{uuid.uuid4().hex[:12]}"
        yield path
        for summary in store.find(path):
            store.delete(summary.name)

    @pytest.fixture
    def ca(self, store: CredentialStore, home: str) -> Credential:
        """A certificate authority."""
        return store.generate(f"{home}/ca", GENERATED[Kind.CERTIFICATE])

    @pytest.mark.parametrize("kind", list(GENERATED))
    def test_what_is_generated_is_stored_with_its_kind_and_time(
        self, store: CredentialStore, home: str, kind: Kind
    ) -> None:
        before = datetime.now(UTC) - timedelta(minutes=1)
        made = store.generate(f"{home}/it", GENERATED[kind])
        assert made.kind is kind
        assert before < made.created_at < datetime.now(UTC) + timedelta(minutes=1)
        assert store.get(f"{home}/it") == made

    def test_a_password_has_two_letters_of_each_class(self, store: CredentialStore, home: str) -> None:
        made = store.generate(f"{home}/password", PasswordParameters(length=24)).value
        assert isinstance(made, Text)
        password = made.text.reveal()
        assert len(password) == 24
        assert password.isalnum()
        for in_class in (str.isupper, str.islower, str.isdigit):
            assert sum(map(in_class, password)) >= 2

    def test_a_user_keeps_the_given_name(self, store: CredentialStore, home: str) -> None:
        made = store.generate(f"{home}/user", UserParameters(username="etcd-root")).value
        assert isinstance(made, User)
        assert made.username == "etcd-root"
        assert len(made.password) == 30

    def test_key_pairs_belong_together(self, store: CredentialStore, home: str) -> None:
        rsa = store.generate(f"{home}/rsa", GENERATED[Kind.RSA]).value
        assert isinstance(rsa, KeyPair)
        assert "PUBLIC KEY" in rsa.public_key
        load_pem_private_key(rsa.private_key.reveal_bytes(), None)
        ssh = store.generate(f"{home}/ssh", GENERATED[Kind.SSH]).value
        assert isinstance(ssh, KeyPair)
        assert ssh.public_key.split()[2] == "kubo"
        pem = ssh.private_key.reveal_bytes()
        load = load_ssh_private_key if b"OPENSSH" in pem else load_pem_private_key
        assert load(pem, None).public_key() == load_ssh_public_key(ssh.public_key.encode())

    def test_a_certificate_says_what_was_asked_for_and_names_its_authority(
        self, store: CredentialStore, home: str, ca: Credential
    ) -> None:
        made = store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        assert isinstance(made.value, Certificate)
        assert isinstance(ca.value, Certificate)
        leaf = x509.load_pem_x509_certificate(made.value.certificate.encode())
        authority = x509.load_pem_x509_certificates(made.value.ca.encode())[0]
        leaf.verify_directly_issued_by(authority)
        assert ca.value.certificate.strip() in made.value.ca
        assert {part.rfc4514_string() for part in leaf.subject.rdns} == {"CN=kube-apiserver", "O=system:masters"}
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {str(name.value) for name in names} == {"10.100.200.1", "kubernetes.default.svc"}
        assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]
        assert made.expires_at == leaf.not_valid_after_utc
        assert timedelta(days=9) < made.expires_at - datetime.now(UTC) <= timedelta(days=10)

    @pytest.mark.parametrize("kind", list(GENERATED))
    def test_converge_keeps_what_was_made_from_the_same_parameters(
        self, store: CredentialStore, home: str, kind: Kind
    ) -> None:
        made = store.generate(f"{home}/it", GENERATED[kind])
        assert store.generate(f"{home}/it", GENERATED[kind], Mode.CONVERGE) == made

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            (PasswordParameters(length=20), PasswordParameters(length=21)),
            (UserParameters(username="joe"), UserParameters(username="jim")),
            (RsaParameters(), RsaParameters(key_length=3072)),
            (SshParameters(comment="a"), SshParameters(comment="b")),
            (GENERATED[Kind.CERTIFICATE], CertificateParameters(common_name="another-ca", is_ca=True)),
        ],
    )
    def test_converge_makes_a_new_version_when_the_parameters_differ(
        self, store: CredentialStore, home: str, first: Parameters, then: Parameters
    ) -> None:
        old = store.generate(f"{home}/it", first)
        new = store.generate(f"{home}/it", then)
        assert new.value != old.value
        assert store.list_versions(f"{home}/it") == (new, old)

    @pytest.mark.usefixtures("ca")
    def test_converge_does_not_mind_the_duration_alone(self, store: CredentialStore, home: str) -> None:
        made = store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        longer = evolve(leaf_parameters(f"{home}/ca"), duration_days=20)
        assert store.generate(f"{home}/leaf", longer) == made

    @pytest.mark.usefixtures("ca")
    def test_converge_renews_what_an_older_version_of_the_authority_signed(
        self, store: CredentialStore, home: str
    ) -> None:
        old = store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        store.generate(f"{home}/ca", GENERATED[Kind.CERTIFICATE], Mode.OVERWRITE)
        new = store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        assert new.version != old.version
        assert store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca")) == new

    def test_overwrite_always_makes_and_no_overwrite_never_replaces(self, store: CredentialStore, home: str) -> None:
        old = store.generate(f"{home}/it", PasswordParameters(), Mode.NO_OVERWRITE)
        assert store.generate(f"{home}/it", PasswordParameters(length=40), Mode.NO_OVERWRITE) == old
        new = store.generate(f"{home}/it", PasswordParameters(), Mode.OVERWRITE)
        assert store.list_versions(f"{home}/it") == (new, old)

    def test_a_certificate_without_its_authority_is_refused_and_not_stored(
        self, store: CredentialStore, home: str
    ) -> None:
        with pytest.raises(NotFound, match=f"{home}/ca"):
            store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        assert store.find(home) == ()

    def test_many_are_generated_in_their_order_and_converge_together(self, store: CredentialStore, home: str) -> None:
        requests = [
            (f"{home}/ca", GENERATED[Kind.CERTIFICATE]),
            (f"{home}/leaf", leaf_parameters(f"{home}/ca")),
            (f"{home}/password", PasswordParameters()),
        ]
        made = store.generate_many(requests)
        assert [credential.name for credential in made] == [name for name, _ in requests]
        assert store.generate_many(requests) == made
        assert store.generate_many([]) == ()

    def test_threads_that_generate_one_name_get_one_version(self, store: CredentialStore, home: str) -> None:
        made = at_once(lambda _: store.generate(f"{home}/it", PasswordParameters()), range(16))
        assert len({credential.version for credential in made}) == 1
        assert store.list_versions(f"{home}/it") == (made[0],)
