"""Directories and files that only their owner can enter."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


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
