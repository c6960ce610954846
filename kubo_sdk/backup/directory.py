"""DirectoryPlace: backups in a directory of this host, or of what is mounted there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from kubo_sdk.backup.places import SUFFIX, Place, Stored, Writing
from kubo_sdk.errors import HostError, KuboError, NotFound, QuotaExceeded
from kubo_sdk.private_files import make_private_directory

PARTIAL = ".partial"
PIECE_BYTES = 1024 * 1024


@frozen(kw_only=True)
class DirectoryPlace:
    """Files only their owner can read.  A half-written one is locked by who writes it, and ends in ``.partial``."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def list(self) -> tuple[Stored, ...]:
        with _told(self.path):
            if not self.path.exists():
                return ()
            found = sorted(each for each in self.path.iterdir() if each.suffix == SUFFIX)
            return tuple(Stored(name=each.stem, size=each.stat().st_size) for each in found)

    @contextlib.contextmanager
    def write(self, name: str) -> Iterator[Writing]:
        with _told(self.path):
            make_private_directory(self.path)
            self._remove_leftovers()
            partial = self.path / f"{name}{PARTIAL}"
            handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield _PartialFile(file=file, path=partial, final=self._file(name))
            finally:
                partial.unlink(missing_ok=True)

    def read(self, name: str) -> Iterator[bytes]:
        with _told(self.path):
            try:
                file = self._file(name).open("rb")
            except FileNotFoundError:
                raise NotFound(f"there is no backup {name} in {self.path}; see: kubo backups") from None
        with file, _told(self.path):
            yield from _pieces(file)

    def delete(self, name: str) -> None:
        with _told(self.path):
            self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}{SUFFIX}"

    def _remove_leftovers(self) -> None:
        for partial in self.path.glob(f"*{PARTIAL}"):
            with contextlib.suppress(OSError), partial.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Whoever writes it is alive otherwise.
                partial.unlink(missing_ok=True)


@frozen(kw_only=True)
class _PartialFile:
    file: BinaryIO
    path: Path
    final: Path

    def write(self, data: bytes) -> None:
        with _told(self.path.parent):
            self.file.write(data)

    def read_back(self) -> Iterator[bytes]:
        """Past the page cache, where the file system lets go of it."""
        with _told(self.path.parent):
            self.file.flush()
            os.fsync(self.file.fileno())
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self.file.seek(0)
            yield from _pieces(self.file)

    def publish(self) -> None:
        with _told(self.path.parent):
            self.path.rename(self.final)
            directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what the file system says as one of our errors."""
    try:
        yield
    except KuboError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise QuotaExceeded(
                f"there is no room for a backup in {path}; make room, or name another backup.to"
            ) from None
        raise HostError(f"{path} cannot be used for backups: {error.strerror}; name another backup.to") from None


_: type[Place] = DirectoryPlace
