"""The file credential store: the contract, its files, its keys, and what it says when something is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.builtin.file_credentials.config import FileCredentialsConfig
from kubo_sdk.builtin.file_credentials.key_file import KeyFile, OwnKeyFile
from kubo_sdk.builtin.file_credentials.keys import Passphrase
from kubo_sdk.builtin.file_credentials.names import checked
from kubo_sdk.builtin.file_credentials.payload import Payload, decode, encode
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.errors import AuthError, ConfigError, Conflict, HostError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    CredentialStore,
    KeyPair,
    Kind,
    PasswordParameters,
    RsaParameters,
    Text,
    User,
)
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.credential_store import CredentialStoreContract

CA = CertificateParameters(common_name="ca", is_ca=True)
LEAF = CertificateParameters(common_name="leaf", ca="/k/c/ca")


def open_store(directory: Path, **options) -> FileCredentialStore:
    path = directory / "credentials.db"
    return FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path), **options)


def text(value: str) -> Text:
    return Text(text=Secret(value))


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> FileCredentialStore:
    return open_store(tmp_path)


class TestFileCredentialStore(CredentialStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> CredentialStore:
        return open_store(tmp_path)

    @pytest.fixture
    def reconnected(self, tmp_path: Path) -> CredentialStore:
        return open_store(tmp_path)


def test_looking_into_a_store_that_was_never_used_makes_no_file(store: FileCredentialStore, tmp_path: Path) -> None:
    assert store.find("/") == ()
    store.delete("/k/c/x")
    with pytest.raises(NotFound):
        store.get("/k/c/x")
    assert names_in(tmp_path) == set()


def test_at_rest_there_are_two_files_that_only_their_owner_can_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_store(tmp_path / "deep" / "er").generate("/k/c/x", PasswordParameters())
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"deep": 0o700, "er": 0o700, "credentials.db": 0o600, "credentials.key": 0o600}


def test_a_new_process_reads_what_an_old_one_wrote(store: FileCredentialStore, tmp_path: Path) -> None:
    made = store.generate("/k/c/x", PasswordParameters())
    store.close()
    assert open_store(tmp_path).get("/k/c/x") == made
    assert store.get("/k/c/x") == made


def test_the_last_credential_takes_the_files_with_it(store: FileCredentialStore, tmp_path: Path) -> None:
    store.generate("/k/c/x", PasswordParameters())
    store.generate("/k/other/x", PasswordParameters())
    store.delete("/k/c/x")
    assert names_in(tmp_path) == {"credentials.db", "credentials.key"}
    store.delete("/k/other/x")
    assert names_in(tmp_path) == set()
    assert store.generate("/k/c/x", PasswordParameters()) == open_store(tmp_path).get("/k/c/x")


def test_a_request_that_fails_on_a_new_store_leaves_no_file(store: FileCredentialStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.generate("/k/c/leaf", LEAF)
    assert names_in(tmp_path) == set()


def test_many_are_generated_together_or_not_at_all(store: FileCredentialStore) -> None:
    with pytest.raises(NotFound):
        store.generate_many([("/k/c/x", PasswordParameters()), ("/k/c/leaf", LEAF)])
    assert store.find("/") == ()


def test_a_person_s_own_certificate_is_not_replaced_by_a_made_one(store: FileCredentialStore) -> None:
    ca = store.generate("/k/c/ca", CA)
    own = store.put("/k/c/bought", Kind.CERTIFICATE, ca.value)
    assert store.generate("/k/c/bought", CertificateParameters(common_name="other", is_ca=True)) == own


def test_new_certificates_have_the_configured_algorithm(tmp_path: Path) -> None:
    store = open_store(tmp_path, algorithm=KeyAlgorithm.ECDSA_P384)
    value = store.generate("/k/c/ca", CA).value
    assert isinstance(value, Certificate)
    assert load_bundle(value.certificate, "it")[0].public_key().key_size == 384
    assert store.info().key_algorithms == ("ecdsa-p384",)


def test_versions_keep_their_order_when_the_clock_runs_backwards(tmp_path: Path) -> None:
    times = iter(datetime(2026, 1, 9, tzinfo=UTC) - timedelta(days=day) for day in range(3))
    store = open_store(tmp_path, now=lambda: next(times))
    for value in ("one", "two", "three"):
        store.put("/k/c/x", Kind.VALUE, text(value))
    assert [found.value.text.reveal() for found in store.list_versions("/k/c/x")] == ["three", "two", "one"]


@pytest.mark.parametrize(
    "name", ["", "/", "//x", "/a//b", "/a/", "/a b", "/ä", "/a/%", "/a\n", "/" + "x" * 1024, "/a/*", "/a'--"]
)
def test_a_bad_name_is_refused_in_one_sentence(store: FileCredentialStore, name: str) -> None:
    for use in (store.get, store.delete, lambda name: store.generate(name, PasswordParameters())):
        with pytest.raises(ConfigError, match="no credential name; write /director/cluster/leaf") as refused:
            use(name)
        assert len(refused.value.problems) == 1


@given(st.from_regex(r"(/[a-zA-Z0-9\-_.:,()\[\]+]{1,9}){1,5}", fullmatch=True))
def test_every_name_credhub_takes_is_taken(name: str) -> None:
    assert checked(name) == checked(name.removeprefix("/")) == name


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (Kind.VALUE, User(username="joe", password=Secret("x")), "a value is a Text, not a User"),
        (Kind.RSA, text("x"), "a rsa is a KeyPair, not a Text"),
        (Kind.PASSWORD, text(""), "must not be empty"),
        (Kind.JSON, text("{hidden"), "is not JSON"),
        (Kind.CERTIFICATE, Certificate(certificate="x", private_key=Secret(""), ca=""), "cannot be read"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused(store: FileCredentialStore, kind, value, complaint: str) -> None:
    with pytest.raises((ConfigError, ProviderError), match=complaint) as refused:
        store.put("/k/c/x", kind, value)
    assert "hidden" not in str(refused.value)
    assert store.find("/") == ()


def test_a_certificate_with_another_ones_key_is_refused(store: FileCredentialStore) -> None:
    one, other = (store.generate(f"/k/c/{name}", CA).value for name in ("one", "other"))
    mixed = Certificate(certificate=one.certificate, private_key=other.private_key, ca=one.ca)
    with pytest.raises(ConfigError, match="does not belong"):
        store.put("/k/c/x", Kind.CERTIFICATE, mixed)


def test_a_trust_anchor_may_come_without_a_key_but_cannot_sign(store: FileCredentialStore) -> None:
    ca = store.generate("/k/c/made", CA).value
    store.put("/k/c/ca", Kind.CERTIFICATE, Certificate(certificate=ca.certificate, private_key=Secret(""), ca=""))
    with pytest.raises(ProviderError, match="private key of /k/c/ca cannot be read"):
        store.generate("/k/c/leaf", LEAF)


def test_what_is_no_certificate_cannot_sign(store: FileCredentialStore) -> None:
    store.generate("/k/c/ca", PasswordParameters())
    with pytest.raises(Conflict, match="/k/c/ca is a password"):
        store.generate("/k/c/leaf", LEAF)
    with pytest.raises(ConfigError, match="names itself"):
        store.generate("/k/c/leaf", CertificateParameters(common_name="leaf", ca="/K/C/LEAF"))


def test_a_lost_key_is_told_with_both_ways_out(store: FileCredentialStore, tmp_path: Path) -> None:
    store.generate("/k/c/x", PasswordParameters())
    (tmp_path / "credentials.key").unlink()
    with pytest.raises(AuthError, match=r"credentials\.key is missing .*backup, or delete .*credentials\.db"):
        open_store(tmp_path).get("/k/c/x")
    assert names_in(tmp_path) == {"credentials.db"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(store: FileCredentialStore, tmp_path: Path, mode: int) -> None:
    store.generate("/k/c/x", PasswordParameters())
    (tmp_path / "credentials.key").chmod(mode)
    with pytest.raises(AuthError, match=r"run: chmod 600 /.*credentials\.key"):
        open_store(tmp_path).get("/k/c/x")


def test_an_unsafe_key_is_refused_before_anything_is_made(store: FileCredentialStore, tmp_path: Path) -> None:
    (tmp_path / "credentials.key").touch(mode=0o644)
    with pytest.raises(AuthError, match="chmod 600"):
        store.generate("/k/c/x", PasswordParameters())
    assert names_in(tmp_path) == {"credentials.key"}


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 44, b"A" * 44 + b"\n", b"=" * 44])
def test_a_file_that_holds_no_key_is_neither_used_nor_overwritten(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "credentials.key"
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(AuthError, match="holds no key"):
        open_store(tmp_path).generate("/k/c/x", PasswordParameters())
    assert key.read_bytes() == content


def test_a_process_killed_right_after_its_first_commit_has_lost_no_key(store, tmp_path: Path) -> None:
    made = store.generate("/k/c/x", PasswordParameters())
    (tmp_path / "credentials.key").rename(tmp_path / "credentials.key.new")
    assert open_store(tmp_path).get("/k/c/x") == made
    assert names_in(tmp_path) == {"credentials.db", "credentials.key"}


def test_a_key_that_is_there_already_is_used_and_never_overwritten(tmp_path: Path) -> None:
    open_store(tmp_path / "other").generate("/k/c/x", PasswordParameters())
    key = tmp_path / "credentials.key"
    shutil.copy(tmp_path / "other" / key.name, key)
    (tmp_path / "credentials.key.new").write_text("what a killed process left")
    content = key.read_bytes()
    made = open_store(tmp_path).generate("/k/c/x", PasswordParameters())
    assert key.read_bytes() == content
    assert open_store(tmp_path).get("/k/c/x") == made


def test_the_wrong_key_is_told_by_its_file(store: FileCredentialStore, tmp_path: Path) -> None:
    made = store.generate("/k/c/x", PasswordParameters())
    elsewhere = tmp_path / "elsewhere"
    open_store(elsewhere).generate("/k/c/x", PasswordParameters())
    shutil.copy(elsewhere / "credentials.key", tmp_path / "credentials.key")
    with pytest.raises(AuthError, match=r"the key file /.*credentials\.key does not open .*credentials\.db"):
        open_store(tmp_path).generate("/k/c/y", PasswordParameters())
    assert store.list_versions("/k/c/x") == (made,)


def test_a_named_key_file_is_made_once_shared_and_left_alone(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "shared.key"
    stores = []
    for name in ("one.db", "two.db"):
        stores.append(FileCredentialStore(tmp_path / name, KeyFile(path=key, database=tmp_path / name)))
        stores[-1].generate("/k/c/x", PasswordParameters())
    content = key.read_bytes()
    stores[0].delete("/k/c/x")
    assert key.read_bytes() == content
    assert stores[1].get("/k/c/x").kind is Kind.PASSWORD
    stores[1].delete("/k/c/x")
    assert names_in(tmp_path) == {"shared.key"}


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [({}, "KEY must hold the passphrase"), ({"KEY": ""}, "KEY must hold"), ({"KEY": "wrong"}, "in KEY does not open")],
)
def test_a_wrong_or_missing_passphrase_is_told_by_its_variable(tmp_path: Path, environment, complaint: str) -> None:
    right = FileCredentialStore(tmp_path / "c.db", Passphrase(variable="KEY", environment={"KEY": "hunter2"}))
    right.put("/k/c/x", Kind.VALUE, text("one"))
    wrong = FileCredentialStore(tmp_path / "c.db", Passphrase(variable="KEY", environment=environment))
    with pytest.raises(AuthError, match=complaint) as refused:
        wrong.get("/k/c/x")
    assert "hunter2" not in str(refused.value)
    assert names_in(tmp_path) == {"c.db"}


def test_a_store_sealed_the_other_way_says_which(tmp_path: Path, store: FileCredentialStore) -> None:
    store.put("/k/c/x", Kind.VALUE, text("one"))
    passphrase = Passphrase(variable="KEY", environment={"KEY": "x"})
    other = FileCredentialStore(tmp_path / "credentials.db", passphrase)
    with pytest.raises(AuthError, match="sealed with a file; name the file in key_file"):
        other.get("/k/c/x")


@pytest.mark.parametrize("damage", ["text", "noise in the pages", "cut", "another database"])
def test_a_damaged_database_is_told_and_left_as_it_is(store: FileCredentialStore, tmp_path: Path, damage: str) -> None:
    store.generate_many([(f"/k/c/{number}", CA) for number in range(20)])
    store.close()
    path = tmp_path / "credentials.db"
    content = path.read_bytes()
    if damage == "text":
        path.write_bytes(b"this is no database at all, it is a letter to a friend" * 99)
    elif damage == "noise in the pages":
        path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE diary (day TEXT)")
        other.close()
    damaged = path.read_bytes()
    with pytest.raises(ProviderError, match=r"credentials\.db .*(damaged|altered)"):
        [open_store(tmp_path).get(f"/k/c/{number}") for number in range(20)]
    with pytest.raises(ProviderError, match=r"credentials\.db .*(damaged|altered)"):
        open_store(tmp_path).generate_many([(f"/k/c/{number}", CA) for number in range(20)])
    assert path.read_bytes() == damaged


def test_a_file_of_a_newer_release_is_left_alone(store: FileCredentialStore, tmp_path: Path) -> None:
    store.put("/k/c/x", Kind.VALUE, text("one"))
    with sqlite3.connect(tmp_path / "credentials.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProviderError, match="newer release; update kubo-sdk"):
        store.get("/k/c/x")


def test_a_database_that_stays_locked_may_be_asked_again(store: FileCredentialStore, tmp_path: Path) -> None:
    store.put("/k/c/x", Kind.VALUE, text("one"))
    other = sqlite3.connect(tmp_path / "credentials.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    impatient = open_store(tmp_path, busy_seconds=0.05)
    with pytest.raises(Unavailable, match=r"keeps the credential store .* locked") as refused:
        impatient.get("/k/c/x")
    assert refused.value.retry_after
    other.execute("ROLLBACK")
    other.close()
    assert impatient.get("/k/c/x") == store.get("/k/c/x")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(HostError, match=r"cannot use .*file"):
        open_store(tmp_path / "file" / "below").generate("/k/c/x", PasswordParameters())


users = st.builds(lambda name, secret: User(username=name, password=Secret(secret)), st.text(), st.binary())
pairs = st.builds(lambda name, secret: KeyPair(public_key=name, private_key=Secret(secret)), st.text(), st.binary())
payloads = st.one_of(
    st.tuples(st.just(Kind.VALUE), st.builds(lambda secret: Payload(value=Text(text=Secret(secret))), st.binary())),
    st.tuples(st.just(Kind.USER), st.builds(lambda user: Payload(value=user), users)),
    st.tuples(
        st.just(Kind.RSA),
        st.builds(
            lambda pair, bits: Payload(value=pair, parameters=RsaParameters(key_length=bits)), pairs, st.integers()
        ),
    ),
    st.tuples(
        st.just(Kind.CERTIFICATE),
        st.builds(
            lambda ca, names: Payload(
                value=Certificate(certificate="c", private_key=Secret("k"), ca=ca),
                parameters=CertificateParameters(common_name="x", alternative_names=tuple(names), ca=ca),
                ca_version=ca,
            ),
            st.text(),
            st.lists(st.text()),
        ),
    ),
)


@given(payloads)
def test_any_value_survives_being_written_down(kind_and_payload) -> None:
    kind, payload = kind_and_payload
    assert decode(kind, encode(payload)) == payload


def context(tmp_path: Path) -> ConnectContext:
    spec = ClusterSpec(name="demo", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
    return ConnectContext(
        spec=spec, state_dir=tmp_path / "state", cache_dir=tmp_path / "cache", base_dir=tmp_path / "base"
    )


def offered():
    from kubo_sdk.builtin.plugin import kubo_credential_store_providers  # noqa: PLC0415

    return next(provider for provider in kubo_credential_store_providers() if provider.name == "file")


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ({}, {"state/credentials.db", "state/credentials.key"}),
        ({"path": Path("my.db")}, {"base/my.db", "base/my.key"}),
        ({"key_file": Path("my.key")}, {"state/credentials.db", "base/my.key"}),
        ({"key_env": "KUBO_TEST_KEY"}, {"state/credentials.db"}),
    ],
)
def test_the_provider_file_puts_its_files_where_the_spec_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options, files: set[str]
) -> None:
    monkeypatch.setenv("KUBO_TEST_KEY", "hunter2")
    store = offered().connect(offered().config(**options), context(tmp_path))
    assert not list(tmp_path.iterdir())
    store.generate("/k/c/x", PasswordParameters())
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == files


def test_two_sorts_of_key_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        FileCredentialsConfig(key_file=Path("a"), key_env="B")


def test_offering_the_provider_imports_nothing_heavy() -> None:
    program = "import sys, kubo_sdk.builtin.plugin as p; list(p.kubo_credential_store_providers()); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"cryptography", "sqlite3", "pytest"} & set(shown.stdout.split())
