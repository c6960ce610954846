"""Secrets of the options: named in one place, read from a file or a variable, put where ``((name))`` stands."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.cpi import VmRequest

_PLACEHOLDER = re.compile(r"\(\(([\w./-]+)\)\)")


@frozen(kw_only=True)
class SecretSource:
    """Where one secret comes from: exactly one of a ``file`` and the name of an environment ``variable``."""

    file: Path | None = None
    variable: str = ""

    def __attrs_post_init__(self) -> None:
        if (self.file is None) == (not self.variable):
            raise ValueError("it must have either file or variable")

    def read(self, name: str, base_dir: Path) -> Secret:
        """The secret, without the line end of its file.  ConfigError when it is not there."""
        if self.file is None:
            value = os.environ.get(self.variable)
            if not value:
                raise ConfigError([f"secret {name!r}: the environment variable {self.variable} is not set"])
            return Secret(value)
        path = base_dir / self.file
        try:
            return Secret(path.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigError([f"secret {name!r}: {path} cannot be read: {reason}"]) from None


@frozen
class Secrets:
    """The secrets by name."""

    values: Mapping[str, Secret]

    def fill(self, content: Any, place: str) -> Any:
        """*content* with every ``((name))`` in its texts replaced.  ConfigError when a name is not known."""
        if isinstance(content, Mapping):
            return {str(key): self.fill(value, place) for key, value in content.items()}
        if isinstance(content, list | tuple):
            return [self.fill(value, place) for value in content]
        if not isinstance(content, str):
            return content
        return _PLACEHOLDER.sub(lambda match: self._reveal(match[1], place), content)

    def _reveal(self, name: str, place: str) -> str:
        if name not in self.values:
            known = ", ".join(sorted(self.values)) or "none"
            raise ConfigError([f"{place}: there is no secret {name!r}; known under secrets: {known}"])
        return self.values[name].reveal()

    def fill_request(self, request: VmRequest) -> VmRequest:
        """The request with the secrets in its cloud properties."""
        filled = self.fill(request.size.cloud_properties, f"cloud_properties of {request.instance.group}")
        return evolve(request, size=evolve(request.size, cloud_properties=filled))

    def texts(self) -> tuple[str, ...]:
        """Every secret, for the redactor."""
        return tuple(secret.reveal() for secret in self.values.values())


def read_secrets(sources: Mapping[str, SecretSource], base_dir: Path) -> Secrets:
    """Read every source; ConfigError holds every one that cannot be read."""
    values: dict[str, Secret] = {}
    problems: list[str] = []
    for name, source in sources.items():
        try:
            values[name] = source.read(name, base_dir)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError([f"cpi bosh: {problem}" for problem in problems])
    return Secrets(values)
