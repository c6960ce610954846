"""What every credential store promises.

Subclass `CredentialStoreContract` and give it a fixture ``store``::

    class TestMyStore(CredentialStoreContract):
        @pytest.fixture
        def store(self) -> CredentialStore:
            return MyStore(...)
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    Credential,
    CredentialStore,
    CredentialValue,
    Kind,
    PasswordParameters,
    SshParameters,
    Text,
    User,
)
from kubo_sdk.testing.contracts.contract import at_once_through, not_offered
from kubo_sdk.testing.contracts.credential_generation import GENERATED
from kubo_sdk.testing.contracts.credential_rotation import AuthorityRotationContract
from kubo_sdk.testing.contracts.credential_takeover import CredentialTakeoverContract


def longest_word(value: CredentialValue) -> str:
    """A part of the secret that no escaping of line ends can hide."""
    match value:
        case Text():
            secret = value.text
        case User():
            secret = value.password
        case _:
            secret = value.private_key
    return max(secret.reveal().split(), key=len)


class CredentialStoreContract(AuthorityRotationContract, CredentialTakeoverContract):
    """Run against an empty part of a real store; everything made is deleted again."""

    @pytest.fixture
    def reconnected(self) -> CredentialStore:
        """The same store connected anew, as another process would."""
        not_offered("reconnected", "is the same provider as another process connects it")

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

    def test_another_process_finds_what_this_one_made_and_deletes_it(
        self, store: CredentialStore, reconnected: CredentialStore, home: str
    ) -> None:
        made = store.generate(f"{home}/it", PasswordParameters())
        assert reconnected.get(f"{home}/it") == made
        assert reconnected.generate(f"{home}/it", PasswordParameters()) == made
        reconnected.delete(f"{home}/it")
        assert store.find(home) == ()

    def test_connections_that_generate_one_name_get_one_version(
        self, store: CredentialStore, reconnected: CredentialStore, home: str
    ) -> None:
        generate: Callable[[CredentialStore, object], Credential] = lambda through, _: through.generate(  # noqa: E731
            f"{home}/it", PasswordParameters()
        )
        made = at_once_through((store, reconnected), generate, range(16))
        assert len({credential.version for credential in made}) == 1
        assert store.list_versions(f"{home}/it") == (made[0],)

    def test_connections_that_write_at_once_lose_nothing_of_each_other(
        self, store: CredentialStore, reconnected: CredentialStore, home: str
    ) -> None:
        put: Callable[[CredentialStore, str], Credential] = lambda through, name: through.put(  # noqa: E731
            name, Kind.VALUE, Text(text=Secret(name))
        )
        made = at_once_through((store, reconnected), put, [f"{home}/{number}" for number in range(16)])
        assert [store.get(credential.name) for credential in made] == made
        assert {summary.name for summary in reconnected.find(home)} == {credential.name for credential in made}

    def test_directors_and_clusters_whose_names_begin_alike_keep_their_own(
        self, store: CredentialStore, home: str
    ) -> None:
        clusters = [f"{home}/{cluster}" for cluster in ("kubo/demo", "kubo/demo-2", "kubo-2/demo", "demo/kubo")]
        for cluster in clusters:
            store.put(f"{cluster}/admin", Kind.VALUE, Text(text=Secret(cluster)))
        for cluster in clusters:
            assert store.get(f"{cluster}/admin").value == Text(text=Secret(cluster))
            assert [summary.name for summary in store.find(cluster)] == [f"{cluster}/admin"]
        store.delete(f"{clusters[0]}/admin")
        assert {summary.name for summary in store.find(home)} == {f"{cluster}/admin" for cluster in clusters[1:]}

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

    def test_nothing_it_hands_out_or_raises_shows_a_secret(self, store: CredentialStore, home: str) -> None:
        for kind, parameters in GENERATED.items():
            made = store.generate(f"{home}/{kind}", parameters)
            shown = f"{made!r} {made} {store.find(home)!r} {store.list_versions(made.name)!r}"
            with pytest.raises(Conflict) as refused:
                store.put(made.name, Kind.VALUE, Text(text=Secret("hunter2")))
            shown += f"{refused.value!r} {refused.value}"
            assert "hunter2" not in shown
            assert longest_word(made.value) not in shown
