"""Release source ``auto``: the download sites, or Debian's source package where those cannot be reached."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk.model.release import Release
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.debian import DebianOptions, DebianSource
from kubo_sdk.releases.protocol import Say
from kubo_sdk.releases.upstream import ETCD_URL, KUBERNETES_URL, UpstreamOptions, UpstreamSource

REACHABLE_WITHIN = 5.0


@frozen(kw_only=True)
class AutoOptions:
    """Those of the two sources it chooses from."""

    base_url: str = KUBERNETES_URL
    etcd_url: str = ETCD_URL
    suite: str = "bookworm"
    mirror: str = ""


class AutoSource:
    """Falls back with a plain notice, never silently; what the cache has is used without asking any network."""

    name = "auto"

    def __init__(self, options: AutoOptions, *, cache_dir: Path, base_dir: Path) -> None:
        upstream = UpstreamOptions(base_url=options.base_url, etcd_url=options.etcd_url)
        self._upstream = UpstreamSource(upstream, cache_dir=cache_dir, base_dir=base_dir)
        self._debian = DebianSource(DebianOptions(suite=options.suite, mirror=options.mirror), cache_dir=cache_dir)

    def find(self, version: KubernetesVersion) -> Release | None:
        return self._upstream.find(version) or self._debian.find(version)

    def newest(self, minor: int) -> KubernetesVersion:
        return self._upstream.newest(minor)

    def fetch(self, version: KubernetesVersion, say: Say) -> Release:
        found = self.find(version)
        if found is not None:
            return found
        try:
            self._upstream.require(version, within=REACHABLE_WITHIN)
            return self._upstream.fetch(version, say)
        except Unavailable as error:
            say(f"{error}; compiling Kubernetes {version} from Debian's source package instead")
            return self._compile(version, say, reason=error)

    def _compile(self, version: KubernetesVersion, say: Say, *, reason: Unavailable) -> Release:
        try:
            return self._debian.fetch(version, say)
        except (NotFound, Unavailable) as error:
            raise Unavailable(f"Kubernetes {version} cannot be had: {reason}; {error}", retry_after=None) from error
