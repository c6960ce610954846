"""What every credential store promises.

Subclass `CredentialStoreContract` and give it a fixture ``store``::

    class TestMyStore(CredentialStoreContract):
        @pytest.fixture
        def store(self) -> CredentialStore:
            return MyStore(...)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key, load_ssh_public_key

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
    CredentialStore,
    CredentialValue,
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

GENERATED = {
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


def secrets_of(value: CredentialValue) -> list[Secret]:
    """What must never be seen of a value."""
    match value:
        case Text():
            return [value.text]
        case User():
            return [value.password]
        case _:
            return [value.private_key]


class CredentialStoreContract:
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

    def test_it_says_which_contract_it_keeps(self, store: CredentialStore) -> None:
        assert store.info().contract == 1
        assert store.info().key_algorithms

    @pytest.mark.parametrize("kind", [Kind.VALUE, Kind.JSON, Kind.PASSWORD, Kind.USER, Kind.RSA, Kind.SSH])
    def test_what_is_put_is_given_back(self, store: CredentialStore, home: str, kind: Kind) -> None:
        value: CredentialValue = Text(text=Secret('{"a": ["ü", 1]}'))
        if kind is Kind.USER:
            value = User(username="joe", password=Secret("hunter2"))
        if kind in (Kind.RSA, Kind.SSH):
            made = store.generate(f"{home}/made", GENERATED[kind])
            value = made.value
        put = store.put(f"{home}/it", kind, value)
        assert put.value == value
        assert store.get(f"{home}/it") == put
        assert (put.name, put.kind, put.expires_at) == (f"{home}/it", kind, None)

    def test_a_certificate_that_is_put_is_given_back_with_its_expiry(
        self, store: CredentialStore, home: str, ca: Credential
    ) -> None:
        put = store.put(f"{home}/copy", Kind.CERTIFICATE, ca.value)
        assert store.get(f"{home}/copy").value == ca.value
        assert put.expires_at == ca.expires_at

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

    def test_versions_come_newest_first_and_old_ones_stay_readable(self, store: CredentialStore, home: str) -> None:
        put = [store.put(f"{home}/it", Kind.VALUE, Text(text=Secret(text))) for text in ("one", "two", "three")]
        assert store.list_versions(f"{home}/it") == tuple(reversed(put))
        assert store.get(f"{home}/it") == put[-1]
        assert len({credential.version for credential in put}) == 3

    def test_what_is_absent_is_not_found(self, store: CredentialStore, home: str) -> None:
        with pytest.raises(NotFound, match=f"{home}/nothing"):
            store.get(f"{home}/nothing")
        with pytest.raises(NotFound, match=f"{home}/nothing"):
            store.list_versions(f"{home}/nothing")

    def test_a_name_keeps_its_kind_until_it_is_deleted(self, store: CredentialStore, home: str) -> None:
        store.generate(f"{home}/it", PasswordParameters())
        with pytest.raises(Conflict, match=f"{home}/it"):
            store.put(f"{home}/it", Kind.USER, User(username="joe", password=Secret("hunter2")))
        with pytest.raises(Conflict, match=f"{home}/it"):
            store.generate(f"{home}/it", SshParameters())
        store.delete(f"{home}/it")
        assert store.generate(f"{home}/it", SshParameters()).kind is Kind.SSH

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

    def test_converge_does_not_mind_the_duration_alone(self, store: CredentialStore, home: str, ca: Credential) -> None:
        made = store.generate(f"{home}/leaf", leaf_parameters(f"{home}/ca"))
        longer = evolve(leaf_parameters(f"{home}/ca"), duration_days=20)
        assert store.generate(f"{home}/leaf", longer) == made

    def test_converge_renews_what_an_older_version_of_the_authority_signed(
        self, store: CredentialStore, home: str, ca: Credential
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

    def test_deleting_takes_every_version_and_no_neighbour(self, store: CredentialStore, home: str) -> None:
        for name in ("it", "it2", "it/below"):
            store.put(f"{home}/{name}", Kind.VALUE, Text(text=Secret("old")))
            store.put(f"{home}/{name}", Kind.VALUE, Text(text=Secret("new")))
        store.delete(f"{home}/it")
        with pytest.raises(NotFound):
            store.list_versions(f"{home}/it")
        assert len(store.list_versions(f"{home}/it2")) == 2
        assert len(store.list_versions(f"{home}/it/below")) == 2

    def test_deleting_what_is_absent_succeeds(self, store: CredentialStore, home: str) -> None:
        store.delete(f"{home}/nothing")
        store.put(f"{home}/it", Kind.VALUE, Text(text=Secret("x")))
        store.delete(f"{home}/it")
        store.delete(f"{home}/it")

    def test_find_gives_the_newest_version_of_every_name_below_a_path(self, store: CredentialStore, home: str) -> None:
        for name in ("a/one", "a/deep/two", "ab/three", "a"):
            store.put(f"{home}/{name}", Kind.VALUE, Text(text=Secret("old")))
        newest = store.put(f"{home}/a/one", Kind.VALUE, Text(text=Secret("new")))
        found = {summary.name: summary for summary in store.find(f"{home}/a")}
        assert set(found) == {f"{home}/a/one", f"{home}/a/deep/two"}
        assert found[newest.name].version == newest.version
        assert found[newest.name].created_at == newest.created_at
        assert len(store.find(home)) == 4

    def test_names_compare_without_regard_to_case(self, store: CredentialStore, home: str) -> None:
        store.put(f"{home}/Mixed", Kind.VALUE, Text(text=Secret("old")))
        new = store.put(f"{home}/MIXED", Kind.VALUE, Text(text=Secret("new")))
        assert store.get(f"{home}/mixed") == new
        assert [summary.name for summary in store.find(home.upper())] == [f"{home}/Mixed"]
        store.delete(f"{home}/mixed")
        assert store.find(home) == ()

    def test_threads_that_generate_one_name_get_one_version(self, store: CredentialStore, home: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: store.generate(f"{home}/it", PasswordParameters()), range(16)))
        assert len({credential.version for credential in made}) == 1
        assert store.list_versions(f"{home}/it") == (made[0],)

    def test_nothing_it_hands_out_or_raises_shows_a_secret(
        self, store: CredentialStore, home: str, ca: Credential
    ) -> None:
        for kind, parameters in GENERATED.items():
            made = store.generate(f"{home}/{kind}", parameters)
            shown = f"{made!r} {made} {store.find(home)!r} {store.list_versions(made.name)!r}"
            wrong = Kind.VALUE if kind is not Kind.VALUE else Kind.JSON
            with pytest.raises(Conflict) as refused:
                store.put(made.name, wrong, Text(text=Secret("hunter2")))
            shown += f"{refused.value!r} {refused.value}"
            assert "hunter2" not in shown
            for secret in secrets_of(made.value):
                assert secret.reveal().strip() not in shown
