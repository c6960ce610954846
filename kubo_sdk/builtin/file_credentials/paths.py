"""Directories and files that only their owner can enter."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def make_private_directory(directory: Path) -> None:
    """Make *directory* and its missing parents with mode 0700; what exists stays as it is."""
    for missing in reversed([each for each in (directory, *directory.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file with mode 0600 unless *path* exists.

    mknod never opens the file: closing a descriptor would drop the locks this process holds on it through SQLite.
    """
    with contextlib.suppress(FileExistsError):
        os.mknod(path, 0o600)


def sync_directory(directory: Path) -> None:
    """Make the directory's entries survive a power loss."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked_directory(directory: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold a lock on the directory itself, so that no lock file stays behind.  Waits for other processes."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # closing is not enough while a forked child has the descriptor too
    finally:
        os.close(handle)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at *path* now: device and inode, or None."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
