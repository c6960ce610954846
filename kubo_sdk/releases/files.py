"""Files of a release: hashed, copied, made safe against power loss, removed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from kubo_sdk.errors import HostError
from kubo_sdk.releases.manifest import FileRecord

CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> str:
    """Copy the content of *source* and return its SHA-256, having read it only once."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
    return digest.hexdigest()


def seal(path: Path, mode: int) -> FileRecord:
    """Give *path* its mode, bring it to the disk and say what it is."""
    path.chmod(mode)
    sync(path)
    status = path.stat()
    return FileRecord(sha256=sha256_of(path), size=status.st_size, mtime_ns=status.st_mtime_ns)


def sync(path: Path) -> None:
    """Bring a file or directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path, *, required: bool = True) -> None:
    """Remove *path* and all below it, never crossing into another file system that is mounted there.

    HostError when something stays, unless it is not *required*: what stays is removed the next time.
    """
    command = ["rm", "-rf", "--one-file-system", "--", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if required and result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HostError(f"cannot remove {path}: {reason}; remove it by hand")


def list_files(tree: Path) -> set[str]:
    """Every path below *tree* that is no directory, relative to it."""
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_symlink() or not path.is_dir()}
