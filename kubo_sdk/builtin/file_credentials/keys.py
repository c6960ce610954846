"""Where the key of the store comes from, and the passphrase way.  The other way is `key_file`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from attrs import field, frozen
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kubo_sdk.builtin.file_credentials.sealing import KEY_BYTES
from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret

SALT_BYTES = 16


class KeySource(Protocol):
    """Gives the key.  The database keeps ``kind`` and the salt openly; both are needed to get the same key again."""

    @property
    def kind(self) -> str:
        """What sort of key this is: ``file`` or ``passphrase``."""
        ...

    @property
    def name(self) -> str:
        """What people call this key in a sentence."""
        ...

    def make_salt(self) -> bytes: ...

    def make(self, salt: bytes) -> Secret:
        """The key of a new database."""
        ...

    def load(self, salt: bytes) -> Secret:
        """The key of a database that holds credentials; AuthError when it is lost or unsafe."""
        ...

    def commit(self) -> None:
        """The database made with the new key is on the disk."""
        ...

    def rollback(self) -> None:
        """The database that was to be made with the new key came to nothing."""
        ...

    def remove(self) -> None:
        """The last credential is deleted."""
        ...


@frozen(kw_only=True)
class Passphrase:
    """A passphrase in an environment variable, stretched with scrypt (about 0.2 s and 32 MiB)."""

    variable: str
    environment: Mapping[str, str] = field(repr=False)
    kind: str = field(default="passphrase", init=False)

    @property
    def name(self) -> str:
        return f"the passphrase in {self.variable}"

    def make_salt(self) -> bytes:
        return os.urandom(SALT_BYTES)

    def make(self, salt: bytes) -> Secret:
        return self.load(salt)

    def load(self, salt: bytes) -> Secret:
        if not self.environment.get(self.variable):
            raise AuthError(
                f"the environment variable {self.variable} must hold the passphrase of the credential store"
            )
        stretch = Scrypt(salt=salt, length=KEY_BYTES, n=2**15, r=8, p=3)
        return Secret(stretch.derive(os.fsencode(self.environment[self.variable])))

    def commit(self) -> None:
        """Nothing was made."""

    def rollback(self) -> None:
        """Nothing was made."""

    def remove(self) -> None:
        """A variable is not ours to unset."""
