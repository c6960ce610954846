"""What an attacker with the file, a log or a traceback gets from the file credential store: nothing."""

from __future__ import annotations

import base64
import os
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from kubo_sdk.builtin.file_credentials.key_file import OwnKeyFile
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.errors import KuboError, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Kind,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    Text,
    User,
    UserParameters,
)

HIDDEN = "correct-horse-battery-staple"
CA = CertificateParameters(common_name="ca", is_ca=True)


def open_store(directory: Path) -> FileCredentialStore:
    path = directory / "credentials.db"
    return FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path))


@pytest.fixture
def store(tmp_path: Path) -> FileCredentialStore:
    return open_store(tmp_path)


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., None]:
    """Change the database behind the store's back."""

    def change(*statements: str) -> None:
        connection = sqlite3.connect(tmp_path / "credentials.db", isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return change


def traces(secret: bytes) -> set[bytes]:
    """How a secret may look in a file: as it is, and in base64 at each of the three offsets."""
    return {secret} | {base64.b64encode(b"x" * offset + secret)[4:-4] for offset in range(3)}


def test_the_files_hold_no_secret_in_any_form(store: FileCredentialStore, tmp_path: Path) -> None:
    store.put("/k/c/text", Kind.VALUE, Text(text=Secret(HIDDEN)))
    store.put("/k/c/user", Kind.USER, User(username="hidden-user-name", password=Secret(HIDDEN)))
    ca = store.generate("/k/c/ca", CA).value
    store.generate("/k/c/rsa", RsaParameters())
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"/k/c/text" in content
    lines = [line.encode() for line in ca.private_key.reveal().splitlines()]
    for secret in (HIDDEN.encode(), b"hidden-user-name", *lines, b"PRIVATE KEY"):
        for trace in traces(secret):
            assert trace not in content


def test_what_is_deleted_is_wiped_from_the_file(store: FileCredentialStore, tmp_path: Path) -> None:
    for cluster in ("gone", "stays"):
        store.generate_many([(f"/k/{cluster}/ca-{number}", CA) for number in range(30)])
    connection = sqlite3.connect(tmp_path / "credentials.db")
    sealed = [row[0] for row in connection.execute("SELECT sealed FROM credential WHERE name LIKE '/k/gone/%'")]
    connection.close()
    content = (tmp_path / "credentials.db").read_bytes()
    pieces = [blob[at : at + 16] for blob in sealed for at in range(0, len(blob) - 16, 16)]
    # Long values go on over several pages, so not every single piece lies in one stretch.
    assert sum(piece in content for piece in pieces) > len(pieces) * 0.9
    for summary in store.find("/k/gone"):
        store.delete(summary.name)
    content = (tmp_path / "credentials.db").read_bytes()
    assert not any(piece in content for piece in pieces)
    assert b"/k/gone" not in content
    assert len(store.find("/k/stays")) == 30


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE sequence = 2) WHERE sequence = 1",
        "UPDATE credential SET sealed = x'00' WHERE sequence = 1",
        "UPDATE credential SET sealed = zeroblob(400) WHERE sequence = 1",
        "UPDATE credential SET sealed = 'text' WHERE sequence = 1",
        "UPDATE credential SET name = '/k/c/one' WHERE sequence = 2",
        "UPDATE credential SET sequence = 9 WHERE sequence = 1",
        "UPDATE credential SET kind = 'password' WHERE sequence = 1",
        "UPDATE credential SET kind = 'mystery' WHERE sequence = 1",
        "UPDATE credential SET version = '11111111-1111-1111-1111-111111111111' WHERE sequence = 1",
        "UPDATE credential SET created_at = '2030-01-01T00:00:00+00:00' WHERE sequence = 1",
        "UPDATE credential SET created_at = 'yesterday' WHERE sequence = 1",
        "UPDATE credential SET expires_at = '2030-01-01T00:00:00+00:00' WHERE sequence = 1",
    ],
)
def test_a_row_that_was_altered_or_swapped_is_noticed(
    store: FileCredentialStore, change: Callable[..., None], statement: str
) -> None:
    store.put("/k/c/one", Kind.VALUE, Text(text=Secret("one")))
    store.put("/k/c/two", Kind.VALUE, Text(text=Secret("two")))
    change(statement)
    with pytest.raises(ProviderError, match=r"/k/c/\w+ in .* was altered or is damaged"):
        [store.get(name) for name in ("/k/c/one", "/k/c/two")]


def test_an_altered_row_can_be_deleted_and_its_neighbours_stay_readable(
    store: FileCredentialStore, change: Callable[..., None]
) -> None:
    store.put("/k/c/one", Kind.VALUE, Text(text=Secret("one")))
    two = store.put("/k/c/two", Kind.VALUE, Text(text=Secret("two")))
    change("UPDATE credential SET sealed = x'00' WHERE sequence = 1")
    assert store.get("/k/c/two") == two
    store.delete("/k/c/one")
    assert [summary.name for summary in store.find("/k")] == ["/k/c/two"]


def test_no_row_is_sealed_with_a_nonce_of_another(store: FileCredentialStore, tmp_path: Path) -> None:
    for _ in range(50):
        store.put("/k/c/same", Kind.VALUE, Text(text=Secret("same")))
    connection = sqlite3.connect(tmp_path / "credentials.db")
    nonces = [row[0][:12] for row in connection.execute("SELECT sealed FROM credential")]
    connection.close()
    assert len(set(nonces)) == 50


def lose_key(store: FileCredentialStore, directory: Path) -> None:
    (directory / "credentials.key").unlink()
    open_store(directory).get("/k/c/text")


def spoil_key(store: FileCredentialStore, directory: Path) -> None:
    (directory / "credentials.key").write_text(base64.b64encode(os.urandom(32)).decode())
    open_store(directory).get("/k/c/text")


def spoil_file(store: FileCredentialStore, directory: Path) -> None:
    path = directory / "credentials.db"
    path.write_bytes(path.read_bytes()[:5000])
    open_store(directory).put("/k/c/text", Kind.VALUE, Text(text=Secret(HIDDEN)))


def mixed(store: FileCredentialStore) -> Certificate:
    one, two = (store.generate(f"/k/c/{name}", CA).value for name in ("ca", "ca2"))
    return Certificate(certificate=one.certificate, private_key=two.private_key, ca=one.ca)


TROUBLES: dict[str, Callable[[FileCredentialStore, Path], object]] = {
    "another kind": lambda store, _: store.put("/k/c/text", Kind.JSON, Text(text=Secret(f'"{HIDDEN}"'))),
    "no JSON": lambda store, _: store.put("/k/c/json", Kind.JSON, Text(text=Secret(HIDDEN))),
    "a wrong value": lambda store, _: store.put("/k/c/x", Kind.USER, Text(text=Secret(HIDDEN))),
    "a mixed pair": lambda store, _: store.put("/k/c/x", Kind.CERTIFICATE, mixed(store)),
    "a bad key": lambda store, _: store.put(
        "/k/c/x",
        Kind.CERTIFICATE,
        Certificate(certificate=store.get("/k/c/ca").value.certificate, private_key=Secret(HIDDEN), ca=""),
    ),
    "no CA": lambda store, _: store.generate("/k/c/x", CertificateParameters(common_name="x", ca="/k/c/none")),
    "a wrong CA": lambda store, _: store.generate("/k/c/x", CertificateParameters(common_name="x", ca="/k/c/text")),
    "a bad name": lambda store, _: store.put("/k//x", Kind.VALUE, Text(text=Secret(HIDDEN))),
    "a lost key": lose_key,
    "a spoilt key": spoil_key,
    "a spoilt file": spoil_file,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_no_trouble_shows_a_secret_even_in_a_traceback_with_locals(
    store: FileCredentialStore, tmp_path: Path, trouble: Callable[[FileCredentialStore, Path], object]
) -> None:
    store.put("/k/c/text", Kind.VALUE, Text(text=Secret(HIDDEN)))
    made = store.generate_many(
        [
            ("/k/c/ca", CA),
            ("/k/c/ca2", CA),
            ("/k/c/user", UserParameters(username="joe")),
            ("/k/c/password", PasswordParameters()),
            ("/k/c/ssh", SshParameters()),
        ]
    )
    secrets = [HIDDEN, made[2].value.password.reveal(), made[3].value.text.reveal()]
    secrets += [max(made[at].value.private_key.reveal().split(), key=len) for at in (0, 1, 4)]
    secrets.append((tmp_path / "credentials.key").read_text().strip())
    with pytest.raises(KuboError) as raised:
        trouble(store, tmp_path)
    error = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    frames = [frame for frame in error.stack if "kubo_sdk" in frame.filename]
    shown = f"{raised.value} {raised.value!r} {[frame.locals for frame in frames]}"
    assert frames
    assert "\n" not in str(raised.value)
    for secret in secrets:
        assert secret not in shown


def test_a_commit_is_synced_to_the_disk_together_with_its_directory(
    store: FileCredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **kwargs: opened.append(connect(*args, **kwargs)) or opened[-1]
    )
    store.put("/k/c/text", Kind.VALUE, Text(text=Secret(HIDDEN)))
    settings = {name: opened[0].execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "secure_delete")}
    assert settings == {"synchronous": 3, "secure_delete": 1}
    assert opened[0].execute("PRAGMA journal_mode").fetchone()[0] == "delete"
