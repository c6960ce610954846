"""KubernetesVersion: parsed once at the edge, compared everywhere else."""

from __future__ import annotations

import re

from attrs import frozen

OLDEST_MINOR = 20
NEWEST_MINOR = 36

_PATTERN = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@frozen(order=True)
class KubernetesVersion:
    """One release of Kubernetes, such as 1.20.2."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> KubernetesVersion:
        """Read ``1.20.2`` or ``v1.20.2``; ValueError says what is wrong with anything else."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a Kubernetes version; write it as MAJOR.MINOR.PATCH, for example 1.20.2")
        version = cls(*(int(part) for part in match.groups()))
        if version.major != 1 or not OLDEST_MINOR <= version.minor <= NEWEST_MINOR:
            raise ValueError(
                f"Kubernetes {text} is not supported; choose a version from 1.{OLDEST_MINOR} to 1.{NEWEST_MINOR}"
            )
        return version

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The version as Kubernetes tags it: ``v1.20.2``."""
        return f"v{self}"
