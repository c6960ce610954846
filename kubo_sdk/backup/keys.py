"""The keys of backups: 32 random bytes in a file, or a passphrase from the environment.  Neither is in any backup."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from kubo_sdk.errors import AuthError, ConfigError, HostError
from kubo_sdk.model.backup_spec import BackupSpec
from kubo_sdk.model.secret import Secret
from kubo_sdk.private_files import make_private_directory

KEY_BYTES = 32
SALT_BYTES = 16
LONGEST = 1024
# 32 MiB and some 0.1 s a guess.
SCRYPT = (2**15, 8, 1)
SCRYPT_MEMORY = 64 * 1024 * 1024
# Nobody may make us spend more on the header of a file.
LARGEST_SCRYPT = 2**20


class BackupKey(Protocol):
    """One key.  ``name`` is what errors call it."""

    @property
    def name(self) -> str: ...

    def new(self) -> tuple[dict[str, Any], Secret]:
        """What a new file says of its key, and the key itself."""
        ...

    def of(self, about: Mapping[str, Any]) -> Secret:
        """The key of a file that says *about* of it.  AuthError when it cannot be this one."""
        ...


@frozen(kw_only=True)
class KeyFile:
    """The key in a file only its owner can read, one line of base64.  Made with the first backup, never overwritten."""

    path: Path

    @property
    def name(self) -> str:
        return f"the key file {self.path}"

    def new(self) -> tuple[dict[str, Any], Secret]:
        if not self.path.exists():
            self._make()
        return {"key": "file"}, self._read()

    def of(self, about: Mapping[str, Any]) -> Secret:
        if about.get("key") != "file":
            raise AuthError("the backup was sealed with a passphrase; name it with backup.key_env, not key_file")
        return self._read()

    def _make(self) -> None:
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            make_private_directory(self.path.parent)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # Another process made it.
                os.link(new, self.path)
        except OSError as error:
            raise HostError(f"{self.name} cannot be made: {error.strerror}; name another backup.key_file") from None
        finally:
            new.unlink(missing_ok=True)

    def _read(self) -> Secret:
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise AuthError(f"others on this host can read {self.name}; run: chmod 600 {self.path}")
                text = Secret(file.read(LONGEST))
        except OSError as error:
            raise AuthError(
                f"{self.name} cannot be read ({error.strerror}), and no backup opens without it; "
                "put it back from where you keep a copy"
            ) from None
        try:
            key = Secret(base64.b64decode(text.reveal_bytes().strip(), validate=True))
        except binascii.Error:
            key = Secret("")
        if len(key) != KEY_BYTES:
            raise AuthError(f"{self.name} holds no key; put it back from where you keep a copy")
        return key


@frozen(kw_only=True)
class Passphrase:
    """The key derived by scrypt from a passphrase in the environment variable *variable*."""

    variable: str
    environment: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        return f"the passphrase in {self.variable}"

    def new(self) -> tuple[dict[str, Any], Secret]:
        salt = os.urandom(SALT_BYTES)
        about = {"key": "passphrase", "scrypt": list(SCRYPT), "scrypt_salt": base64.b64encode(salt).decode()}
        return about, self.of(about)

    def of(self, about: Mapping[str, Any]) -> Secret:
        if about.get("key") != "passphrase":
            raise AuthError("the backup was sealed with a key file; name it with backup.key_file, not key_env")
        passphrase = Secret(self.environment.get(self.variable, ""))
        if len(passphrase) == 0:
            raise AuthError(f"the environment variable {self.variable} is not set; it must hold the passphrase")
        n, r, p = (int(number) for number in about["scrypt"])
        if n * r * p > LARGEST_SCRYPT:
            raise ValueError("nobody wrote that")
        salt = base64.b64decode(about["scrypt_salt"], validate=True)
        derived = hashlib.scrypt(passphrase.reveal_bytes(), salt=salt, n=n, r=r, p=p, maxmem=SCRYPT_MEMORY, dklen=32)
        return Secret(derived)


def backup_key(spec: BackupSpec, base_dir: Path, environment: Mapping[str, str]) -> BackupKey:
    """The key that *spec* names.  ConfigError where it names none."""
    if spec.key_env:
        return Passphrase(variable=spec.key_env, environment=environment)
    if spec.key_file is None:
        raise ConfigError(["backup has no key; set backup.key_file or backup.key_env"])
    return KeyFile(path=base_dir / spec.key_file)
