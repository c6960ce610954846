"""What every credential store that rotates authorities promises about it.  Part of `CredentialStoreContract`."""

from __future__ import annotations

from typing import cast

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.ports.credentials import (
    AuthorityRotation,
    Certificate,
    CertificateParameters,
    Credential,
    CredentialStore,
    Mode,
    PasswordParameters,
)
from kubo_sdk.testing.contracts.contract import at_once, require_flag
from kubo_sdk.testing.contracts.credential_generation import CredentialGenerationContract, leaf_parameters


def certificate_of(credential: Credential) -> Certificate:
    assert isinstance(credential.value, Certificate)
    return credential.value


def own(credential: Credential) -> x509.Certificate:
    """The certificate that the credential is."""
    return x509.load_pem_x509_certificate(certificate_of(credential).certificate.encode())


def trusted(credential: Credential) -> list[x509.Certificate]:
    """The authorities the credential says are trusted, in their order."""
    return x509.load_pem_x509_certificates(certificate_of(credential).ca.encode())


def is_signed_by(leaf: Credential, authority: Credential) -> bool:
    try:
        own(leaf).verify_directly_issued_by(own(authority))
    except (InvalidSignature, ValueError):
        return False
    return True


class AuthorityRotationContract(CredentialGenerationContract):
    """Run against a store whose ``info().rotates``; every other skips these tests."""

    @pytest.fixture
    def rotating(self, store: CredentialStore) -> AuthorityRotation:
        """The store as one that rotates."""
        require_flag(store.info(), "rotates")
        return cast(AuthorityRotation, store)

    @pytest.fixture
    def leaf(self, store: CredentialStore, home: str, ca: Credential) -> Credential:  # noqa: ARG002
        """What the authority signed before it is rotated."""
        return self.converged(store, home)

    @staticmethod
    def converged(store: CredentialStore, home: str, leaf: str = "leaf") -> Credential:
        """The leaf as an ordinary deploy has it generated."""
        return store.generate(f"{home}/{leaf}", leaf_parameters(f"{home}/ca"))

    def test_an_introduced_authority_is_trusted_by_all_and_signs_nothing(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        assert new.transitional
        assert own(new) != own(ca)
        assert own(new).subject == own(ca).subject
        signing = store.get(f"{home}/ca")
        assert own(signing) == own(ca)
        assert not signing.transitional
        assert trusted(signing) == [own(ca), own(new)]
        kept = store.get(f"{home}/leaf")
        assert certificate_of(kept).certificate == certificate_of(leaf).certificate
        assert trusted(kept) == [own(ca), own(new)]
        for made in (self.converged(store, home), self.converged(store, home, "another")):
            assert is_signed_by(made, ca)
            assert trusted(made) == [own(ca), own(new)]

    def test_introducing_once_more_gives_the_one_that_is_there(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        assert own(rotating.introduce_authority(f"{home}/ca")) == own(new)
        versions = store.list_versions(f"{home}/ca")
        assert {own(version) for version in versions if version.transitional} == {own(new)}
        assert {own(version) for version in versions} == {own(ca), own(new)}

    def test_threads_that_introduce_at_once_get_one_authority(
        self, rotating: AuthorityRotation, home: str, ca: Credential
    ) -> None:
        made = at_once(lambda _: rotating.introduce_authority(f"{home}/ca"), range(8))
        assert len({own(authority) for authority in made} - {own(ca)}) == 1

    def test_after_the_switch_the_new_one_signs_and_what_the_old_one_signed_is_outdated_and_trusted(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        assert own(rotating.switch_authority(f"{home}/ca")) == own(new)
        assert own(store.get(f"{home}/ca")) == own(new)
        kept = store.get(f"{home}/leaf")
        assert own(kept) == own(leaf)
        assert set(trusted(kept)) == {own(new), own(ca)}  # CredHub puts the one that signed it first
        made = self.converged(store, home)
        assert is_signed_by(made, new)
        assert trusted(made) == [own(new), own(ca)]
        assert self.converged(store, home) == made
        assert [own(each) for each in store.list_versions(f"{home}/ca") if each.transitional] == [own(ca)]

    def test_a_retired_authority_is_trusted_no_more(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        rotating.switch_authority(f"{home}/ca")
        made = self.converged(store, home)
        rotating.retire_authority(f"{home}/ca")
        rotating.retire_authority(f"{home}/ca")
        assert trusted(store.get(f"{home}/ca")) == [own(new)]
        assert trusted(store.get(f"{home}/leaf")) == [own(new)]
        assert own(self.converged(store, home)) == own(made) != own(leaf)
        assert not any(version.transitional for version in store.list_versions(f"{home}/ca"))

    def test_one_that_never_signed_is_gone_when_it_is_retired(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        rotating.retire_authority(f"{home}/ca")
        assert own(store.get(f"{home}/ca")) == own(ca)
        assert own(new) not in {own(version) for version in store.list_versions(f"{home}/ca")}
        assert trusted(store.get(f"{home}/leaf")) == [own(ca)]
        assert own(self.converged(store, home)) == own(leaf)

    def test_a_switch_can_be_taken_back(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        rotating.switch_authority(f"{home}/ca")
        self.converged(store, home)
        assert own(rotating.switch_authority(f"{home}/ca")) == own(ca)
        back = self.converged(store, home)
        assert is_signed_by(back, ca)
        assert own(back) != own(leaf)
        assert trusted(back) == [own(ca), own(new)]
        rotating.retire_authority(f"{home}/ca")
        assert own(store.get(f"{home}/ca")) == own(ca)
        assert trusted(store.get(f"{home}/leaf")) == [own(ca)]
        assert own(self.converged(store, home)) == own(back)

    def test_an_authority_can_be_rotated_again_and_again(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential
    ) -> None:
        seen = [own(ca)]
        for _ in range(3):
            rotating.introduce_authority(f"{home}/ca")
            seen.append(own(rotating.switch_authority(f"{home}/ca")))
            rotating.retire_authority(f"{home}/ca")
        assert len(set(seen)) == 4
        assert [own(version) for version in store.list_versions(f"{home}/ca")] == list(reversed(seen))

    def test_another_process_sees_a_rotation_that_is_half_done(
        self, rotating: AuthorityRotation, reconnected: CredentialStore, home: str, ca: Credential, leaf: Credential
    ) -> None:
        new = rotating.introduce_authority(f"{home}/ca")
        assert trusted(reconnected.get(leaf.name)) == [own(ca), own(new)]
        assert own(cast(AuthorityRotation, reconnected).switch_authority(f"{home}/ca")) == own(new)
        made = self.converged(reconnected, home)
        rotating.retire_authority(f"{home}/ca")
        assert own(reconnected.get(leaf.name)) == own(made)
        assert trusted(reconnected.get(leaf.name)) == [own(new)]

    def test_another_authority_keeps_what_it_has(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential
    ) -> None:
        other = store.generate(f"{home}/other", _parameters_of_authority(), Mode.CONVERGE)
        made = store.generate(f"{home}/of-other", leaf_parameters(f"{home}/other"))
        rotating.introduce_authority(ca.name)
        rotating.switch_authority(ca.name)
        assert store.get(f"{home}/other") == other
        assert store.get(f"{home}/of-other") == made

    def test_what_cannot_be_rotated_is_refused_and_stays(
        self, store: CredentialStore, rotating: AuthorityRotation, home: str, ca: Credential, leaf: Credential
    ) -> None:
        password = store.generate(f"{home}/password", PasswordParameters())
        for act in (rotating.introduce_authority, rotating.switch_authority, rotating.retire_authority):
            with pytest.raises(NotFound, match=f"{home}/nothing"):
                act(f"{home}/nothing")
            for name in (password.name, leaf.name):
                with pytest.raises(Conflict, match=name):
                    act(name)
        with pytest.raises(Conflict, match=ca.name):
            rotating.switch_authority(ca.name)
        rotating.retire_authority(ca.name)
        assert [store.get(each.name) for each in (ca, leaf, password)] == [ca, leaf, password]


def _parameters_of_authority() -> CertificateParameters:
    return CertificateParameters(
        common_name="other-ca", is_ca=True, key_usage=("key_cert_sign", "crl_sign"), duration_days=30
    )
