"""Secrets of the options: named in one place, put where ``((name))`` stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk.secret_source import SecretSource

_PLACEHOLDER = re.compile(r"\(\(([\w./-]+)\)\)")


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
            values[name] = source.read(f"secret {name!r}", base_dir)
            values[name].reveal()
        except ConfigError as error:
            problems += error.problems
        except ValueError:
            problems.append(f"secret {name!r} is not text")
    if problems:
        raise ConfigError([f"cpi bosh: {problem}" for problem in problems])
    return Secrets(values)
