"""Backups in a directory: hidden until they are whole, gone when they are not, one sentence when there is no room."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubo_sdk.backup.directory import DirectoryPlace
from kubo_sdk.errors import HostError, NotFound, QuotaExceeded


@pytest.fixture
def place(tmp_path: Path) -> DirectoryPlace:
    return DirectoryPlace(path=tmp_path / "backups")


def keep(place: DirectoryPlace, name: str, content: bytes) -> None:
    with place.write(name) as writing:
        writing.write(content)
        assert b"".join(writing.read_back()) == content
        assert place.list() == () or name not in [each.name for each in place.list()]
        writing.publish()


def test_what_was_published_is_listed_and_read(place: DirectoryPlace) -> None:
    assert place.list() == ()
    keep(place, "one", b"x" * 3_000_000)
    assert [(each.name, each.size) for each in place.list()] == [("one", 3_000_000)]
    assert b"".join(place.read("one")) == b"x" * 3_000_000
    assert (place.path / "one.kubo").stat().st_mode & 0o777 == 0o600
    assert place.path.stat().st_mode & 0o777 == 0o700


def test_what_was_not_published_leaves_nothing(place: DirectoryPlace) -> None:
    with contextlib.suppress(ZeroDivisionError), place.write("one") as writing:
        writing.write(b"half")
        raise ZeroDivisionError
    assert list(place.path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(place: DirectoryPlace) -> None:
    keep(place, "zero", b"0")
    (place.path / "killed.partial").write_bytes(b"half")
    with place.write("first") as first:
        first.write(b"1")
        keep(place, "second", b"2")
        b"".join(first.read_back())
        first.publish()
    assert [each.name for each in place.list()] == ["first", "second", "zero"]
    assert not list(place.path.glob("*.partial"))


def test_deleting_what_is_absent_succeeds_and_reading_it_says_so(place: DirectoryPlace) -> None:
    place.delete("one")
    with pytest.raises(NotFound, match=r"there is no backup one"):
        next(place.read("one"))


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    place = DirectoryPlace(path=tmp_path / "file" / "below")
    with pytest.raises(HostError, match=r"cannot be used for backups: Not a directory; name another backup.to"):
        keep(place, "one", b"1")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], check=False)
    if done.returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_without_room_nothing_is_left_and_one_sentence_says_so(small: Path) -> None:
    place = DirectoryPlace(path=small)
    with pytest.raises(QuotaExceeded, match=rf"there is no room for a backup in {small}; make room, or name another"):
        keep(place, "one", b"x" * 2_000_000)
    assert list(small.iterdir()) == []


def test_a_writer_killed_at_any_point_shows_nothing(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from kubo_sdk.backup.directory import DirectoryPlace
with DirectoryPlace(path=Path(sys.argv[1])).write("one") as writing:
    writing.write(b"x" * 100000)
    if sys.argv[2] == "late": list(writing.read_back())
    os.kill(os.getpid(), 9)
"""
    for when in ("early", "late"):
        assert subprocess.run([sys.executable, "-c", script, str(tmp_path), when], check=False).returncode == -9
    place = DirectoryPlace(path=tmp_path)
    assert place.list() == ()
    keep(place, "two", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["two.kubo"]
