"""What a credential store promises that takes over what another generated.  Part of `CredentialStoreContract`."""

from __future__ import annotations

from typing import cast

import pytest

from kubo_sdk.errors import Conflict
from kubo_sdk.ports.credentials import (
    Certificate,
    Credential,
    CredentialStore,
    CredentialTakeover,
    Kind,
    Mode,
    PasswordParameters,
    SshParameters,
)
from kubo_sdk.testing.contracts.credential_generation import GENERATED, CredentialGenerationContract, leaf_parameters


class CredentialTakeoverContract(CredentialGenerationContract):
    """Run against a store that is a `CredentialTakeover`; every other skips these tests."""

    @pytest.fixture
    def taker(self, store: CredentialStore) -> CredentialTakeover:
        """The store as one that takes over."""
        if not isinstance(store, CredentialTakeover):
            pytest.skip(f"{type(store).__name__} has no take_over")
        return cast(CredentialTakeover, store)

    @pytest.mark.parametrize("kind", list(GENERATED))
    def test_what_was_taken_over_counts_as_generated_and_stays(
        self, store: CredentialStore, taker: CredentialTakeover, home: str, kind: Kind
    ) -> None:
        value = store.generate(f"{home}/elsewhere", GENERATED[kind]).value
        taken = taker.take_over(f"{home}/it", kind, value, GENERATED[kind])
        assert taken.generated
        assert taken.value == value
        assert store.get(f"{home}/it") == taken
        assert store.generate(f"{home}/it", GENERATED[kind]) == taken

    def test_what_was_taken_over_is_made_anew_when_the_parameters_differ(
        self, store: CredentialStore, taker: CredentialTakeover, home: str
    ) -> None:
        value = store.generate(f"{home}/elsewhere", PasswordParameters()).value
        taken = taker.take_over(f"{home}/it", Kind.PASSWORD, value, PasswordParameters())
        made = store.generate(f"{home}/it", PasswordParameters(length=40))
        assert made.value != taken.value
        assert made.generated

    def test_a_certificate_stays_until_its_authority_is_another(
        self, store: CredentialStore, taker: CredentialTakeover, home: str, ca: Credential
    ) -> None:
        leaf = store.generate(f"{home}/leaf", leaf_parameters(ca.name))
        other = GENERATED[Kind.CERTIFICATE]
        taker.take_over(f"{home}/moved/ca", Kind.CERTIFICATE, ca.value, other)
        wanted = leaf_parameters(f"{home}/moved/ca")
        taken = taker.take_over(f"{home}/moved/leaf", Kind.CERTIFICATE, leaf.value, wanted)
        assert isinstance(taken.value, Certificate)
        assert store.generate(f"{home}/moved/leaf", wanted) == taken
        store.generate(f"{home}/moved/ca", other, Mode.OVERWRITE)
        made = store.generate(f"{home}/moved/leaf", wanted)
        assert made.value != taken.value
        assert store.generate(f"{home}/moved/leaf", wanted) == made

    def test_a_name_of_another_kind_is_not_taken_over(
        self, store: CredentialStore, taker: CredentialTakeover, home: str
    ) -> None:
        there = store.generate(f"{home}/it", SshParameters())
        value = store.generate(f"{home}/elsewhere", PasswordParameters()).value
        with pytest.raises(Conflict, match=f"{home}/it"):
            taker.take_over(f"{home}/it", Kind.PASSWORD, value, PasswordParameters())
        assert store.get(f"{home}/it") == there
