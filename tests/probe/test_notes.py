"""The director's notes: kept in a real credential store, gone when there is nothing to note."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from kubo_sdk.builtin.file_credentials.key_file import OwnKeyFile
from kubo_sdk.builtin.file_credentials.store import FileCredentialStore
from kubo_sdk.errors import ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.notes import LEAF, DirectorNotes, change_notes, read_notes, write_notes
from kubo_sdk.ports.credentials import Kind, PasswordParameters, Text

DEMO = ClusterId(director="kubo", name="demo")
OTHER = ClusterId(director="kubo", name="other")


@pytest.fixture
def store(tmp_path: Path) -> FileCredentialStore:
    path = tmp_path / "credentials.db"
    return FileCredentialStore(path, OwnKeyFile(path=path.with_suffix(".key"), database=path))


def test_a_cluster_nobody_noted_anything_about_has_empty_notes(store: FileCredentialStore) -> None:
    assert read_notes(store, DEMO) == DirectorNotes()


def test_notes_come_back_as_they_were_written_each_name_once(store: FileCredentialStore) -> None:
    write_notes(store, DEMO, DirectorNotes(cluster_paused=True, paused=("b/1", "a/0", "b/1"), stopped=("c/2",)))
    assert read_notes(store, DEMO) == DirectorNotes(cluster_paused=True, paused=("a/0", "b/1"), stopped=("c/2",))
    assert read_notes(store, OTHER) == DirectorNotes()


def test_newer_notes_replace_older_ones(store: FileCredentialStore) -> None:
    write_notes(store, DEMO, DirectorNotes(paused=("worker/0",)))
    write_notes(store, DEMO, DirectorNotes(stopped=("worker/1",)))
    assert read_notes(store, DEMO) == DirectorNotes(stopped=("worker/1",))


def test_empty_notes_leave_nothing_in_the_store(store: FileCredentialStore) -> None:
    write_notes(store, DEMO, DirectorNotes(paused=("worker/0",)))
    write_notes(store, DEMO, DirectorNotes())
    assert store.find("/kubo/demo") == ()
    write_notes(store, DEMO, DirectorNotes())


@pytest.mark.parametrize("text", ["[]", "7", '{"paused": "worker/0"}', '{"stopped": {"a": 1}}'])
def test_what_is_no_notes_is_told_by_its_name(store: FileCredentialStore, text: str) -> None:
    store.put(DEMO.credential(LEAF), Kind.JSON, Text(text=Secret(text)))
    with pytest.raises(ProviderError, match="/kubo/demo/director-notes holds no notes of a director"):
        read_notes(store, DEMO)


def test_a_credential_of_another_kind_is_no_notes(store: FileCredentialStore) -> None:
    store.generate(DEMO.credential(LEAF), PasswordParameters())
    with pytest.raises(ProviderError, match="holds no notes"):
        read_notes(store, DEMO)


def test_many_who_change_the_notes_at_once_lose_nothing(store: FileCredentialStore, tmp_path: Path) -> None:
    names = tuple(f"worker/{number}" for number in range(20))

    def pause(name: str) -> None:
        change_notes(store, DEMO, tmp_path, lambda notes: attrs.evolve(notes, paused=(*notes.paused, name)))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(pause, names))
    assert set(read_notes(store, DEMO).paused) == set(names)
