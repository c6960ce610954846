"""Checking a cached release: cheaply by size and time, by content where those differ."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from kubo_sdk.errors import HostError
from kubo_sdk.releases.files import list_files, sha256_of
from kubo_sdk.releases.manifest import FILE_NAME, FileRecord, Manifest, loads


def read_manifest(tree: Path) -> Manifest:
    """The manifest of the tree.  HostError when it is missing, unreadable or describes another content."""
    path = tree / FILE_NAME
    try:
        manifest = loads(path.read_text())
    except FileNotFoundError:
        raise damaged(tree, f"{FILE_NAME} is missing") from None
    except (OSError, ValueError) as error:
        raise damaged(tree, f"{FILE_NAME} cannot be read ({error})") from error
    if manifest.directory != tree.name:
        raise damaged(tree, f"{FILE_NAME} describes {manifest.directory}")
    return manifest


def check(tree: Path, manifest: Manifest, *, thorough: bool = False) -> Manifest:
    """Compare the tree with its manifest; HostError names the first file that differs.

    Files of the recorded size and time are taken as unchanged unless *thorough*; others are read.  Returns the manifest
    with the times found, so that a tree whose times were lost, by a copy perhaps, is read only once.
    """
    found, expected = list_files(tree) - {FILE_NAME}, set(manifest.files)
    if missing := sorted(expected - found):
        raise damaged(tree, f"{missing[0]} is missing")
    if strange := sorted(found - expected):
        raise damaged(tree, f"{strange[0]} does not belong to it")
    files = {path: _check_file(tree, path, record, thorough) for path, record in manifest.files.items()}
    return evolve(manifest, files=files)


def _check_file(tree: Path, path: str, record: FileRecord, thorough: bool) -> FileRecord:
    file = tree / path
    status = file.lstat()
    unchanged = status.st_size == record.size and status.st_mtime_ns == record.mtime_ns
    if unchanged and not thorough:
        return record
    if status.st_size != record.size or file.is_symlink() or sha256_of(file) != record.sha256:
        raise damaged(tree, f"{path} was changed")
    return evolve(record, mtime_ns=status.st_mtime_ns)


def damaged(tree: Path, why: str) -> HostError:
    """The one sentence about a tree that is not what it was."""
    return HostError(f"the cached release {tree} is damaged: {why}; remove that directory and it will be made again")
