"""The key in a file: 32 random bytes as one line of base64, readable by its owner only, never overwritten."""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import os
from pathlib import Path

from attrs import field, frozen

from kubo_sdk.builtin.file_credentials.paths import sync_directory
from kubo_sdk.builtin.file_credentials.sealing import KEY_BYTES
from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret
from kubo_sdk.private_files import make_private_directory

LONGEST = 1024


@frozen(kw_only=True)
class KeyFile:
    """A key file that the spec names.  Several databases may share it, so it is never removed."""

    path: Path
    database: Path
    kind: str = field(default="file", init=False)

    @property
    def name(self) -> str:
        return f"the key file {self.path}"

    def make_salt(self) -> bytes:
        return b""

    def make(self, salt: bytes) -> Secret:  # noqa: ARG002
        make_private_directory(self.path.parent)
        return _make(self.path)

    def load(self, salt: bytes) -> Secret:  # noqa: ARG002
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise AuthError(
                f"{self.name} is missing and {self.database} cannot be opened without it; "
                f"restore it from a backup, or delete {self.database} to begin with no credentials"
            ) from None
        try:
            return _read(handle, self.path)
        finally:
            os.close(handle)

    def commit(self) -> None:
        """The file is where it belongs already."""

    def rollback(self) -> None:
        """Another database may use the file by now."""

    def remove(self) -> None:
        """Another database may use the file."""


@frozen(kw_only=True)
class OwnKeyFile(KeyFile):
    """The key file beside its one database, which comes and goes with it.

    A new key gets its name only after the database is committed.  So a process killed before leaves nothing that could
    be taken for a key in use, and whoever opens the database finishes what a process killed after it had to do.
    """

    @property
    def new(self) -> Path:
        """Where the key lies until its database is committed."""
        return self.path.with_name(f"{self.path.name}.new")

    def make(self, salt: bytes) -> Secret:
        self.rollback()
        return super().load(salt) if self.path.exists() else _make(self.new)

    def load(self, salt: bytes) -> Secret:
        self.commit()
        return super().load(salt)

    def commit(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # another process did it
            if not self.path.exists():
                self.new.rename(self.path)
                sync_directory(self.path.parent)

    def rollback(self) -> None:
        self.new.unlink(missing_ok=True)

    def remove(self) -> None:
        self.rollback()
        self.path.unlink(missing_ok=True)


def _make(path: Path) -> Secret:
    """The key at *path*, made now unless it is there."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # another database may be making the same file now
        if os.fstat(handle).st_size == 0:
            os.write(handle, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            os.fsync(handle)
            sync_directory(path.parent)
            os.lseek(handle, 0, os.SEEK_SET)
        return _read(handle, path)
    finally:
        os.close(handle)


def _read(handle: int, path: Path) -> Secret:
    if os.fstat(handle).st_mode & 0o077:
        raise AuthError(f"others on this host can read the key file {path}; run: chmod 600 {path}")
    text = Secret(os.read(handle, LONGEST))
    try:
        key = Secret(base64.b64decode(text.reveal_bytes().strip(), validate=True))
    except binascii.Error:
        key = Secret("")
    if len(key) != KEY_BYTES:
        raise AuthError(f"the key file {path} holds no key; restore it from a backup")
    return key
