"""SecretSource: where a secret that an option needs is read: a file or an environment variable, never the spec."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret


@frozen(kw_only=True)
class SecretSource:
    """Exactly one of a ``file`` and the name of an environment ``variable``; a type for fields of config types."""

    file: Path | None = None
    variable: str = ""

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (not self.variable):
            raise ValueError("must have either file or variable")

    def read(self, option: str, base_dir: Path) -> Secret:
        """The secret, without the line end of its file.  ConfigError, which names *option*, when there is none.

        A relative ``file`` starts at *base_dir*.
        """
        if self.file is None:
            value = os.environ.get(self.variable)
            if not value:
                raise ConfigError([f"{option}: the environment variable {self.variable} is not set"])
            return Secret(value)
        path = base_dir / self.file
        content = read_file(path, option).rstrip(b"\r\n")
        if not content:
            raise ConfigError([f"{option}: {path} is empty; put the secret there"])
        return Secret(content)


def read_file(path: Path, option: str) -> bytes:
    """What the file that *option* names holds.  ConfigError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{option}: {path} cannot be read: {error.strerror}"]) from None
