"""Directories and files of this host that only their owner can enter."""

from __future__ import annotations

import contextlib
import os
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
