"""ReleaseSource: where the Kubernetes software of one version comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kubo_sdk.errors import NotFound
from kubo_sdk.model.release import Release
from kubo_sdk.model.version import KubernetesVersion

Say = Callable[[str], None]


def no_newest(source: str, minor: int) -> NotFound:
    """The error of a source that has no version of that minor version, or cannot tell which."""
    told = f"{source} does not tell which versions of Kubernetes 1.{minor} it has"
    return NotFound(f"{told}; name the one to take: --through 1.{minor}.N")


class ReleaseSource(Protocol):
    """Turns a version into a release that lies complete in the cache of this host."""

    @property
    def name(self) -> str:
        """What specs call it."""
        ...

    def find(self, version: KubernetesVersion) -> Release | None:
        """The release when the cache has it.  No network, cheap.  HostError when what lies there is damaged."""
        ...

    def fetch(self, version: KubernetesVersion, say: Say) -> Release:
        """Get the release, verify it and keep it in the cache; at once when it is there already.

        *say* is given short lines of progress.  Raises NotFound when the source has no such version, Unavailable when
        it does not answer, HostError when this host cannot do it.
        """
        ...

    def newest(self, minor: int) -> KubernetesVersion:
        """The newest version of that minor version that it has.  NotFound where it has none or cannot tell."""
        ...
