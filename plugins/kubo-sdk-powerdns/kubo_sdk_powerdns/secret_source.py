"""Reads a secret from where an option points: a file, or an environment variable.  Never from the spec."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret


@frozen(kw_only=True)
class SecretSource:
    """Exactly one of a *file* and the name of an environment *variable*; ``option`` is where the spec says so."""

    option: str
    file: Path | None
    variable: str
    base_dir: Path

    def __str__(self) -> str:
        if self.file is None:
            return f"the environment variable {self.variable}"
        return f"the file {self.base_dir / self.file}"

    def read(self) -> Secret:
        """The secret without the line end of its file; ConfigError when there is none, or what is no printable word."""
        text = self._text()
        if not text:
            raise ConfigError([f"{self.option}: {self} is empty; put the key there"])
        # A line end within would end an HTTP header, and the library's complaint about that would show the key.
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ConfigError(
                [f"{self.option}: {self} holds more than one word of printable ASCII; put only the key there"]
            )
        return Secret(text)

    def _text(self) -> str:
        if self.file is None:
            found = os.environ.get(self.variable)
            if found is None:
                raise ConfigError([f"{self.option}: {self} is not set; export it with the key"])
            return found.strip()
        try:
            return (self.base_dir / self.file).read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            pass  # the error carries the content, so it must not even be the context of the next one
        except OSError as error:
            raise ConfigError([f"{self.option}: {self} cannot be read: {error.strerror}; correct the path"]) from None
        raise ConfigError([f"{self.option}: {self} is not text; put only the key there"])
