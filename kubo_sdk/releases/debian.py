"""Release source ``debian``: Kubernetes compiled once from Debian's own source package, then kept.

Debian 12 has the whole of Kubernetes 1.20.2 as a source package, and no binaries of it.  etcd comes from the stemcell,
which has Debian's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import HostError, NotFound
from kubo_sdk.model.release import KUBERNETES_BINARIES, Release
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.architecture import host_architecture
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.companions import STEMCELL_ETCD
from kubo_sdk.releases.debian_archive import DebianArchive, host_mirror, upstream_version
from kubo_sdk.releases.debian_build import RECIPE, compile_release, make_root
from kubo_sdk.releases.debian_images import PAUSE_IMAGE, write_images
from kubo_sdk.releases.manifest import Contents
from kubo_sdk.releases.protocol import Say, no_newest

PROGRAMS = ("apt-get", "apt-cache", "mmdebstrap", "setpriv", "unshare")
NEEDED_GIB = 5
GIB = 1 << 30


@frozen(kw_only=True)
class DebianOptions:
    """``suite``: which Debian; ``mirror``: its address, by default the one this host's apt is configured with."""

    suite: str = "bookworm"
    mirror: str = ""


class DebianSource:
    """Compiles in a root of its own below the cache directory, which takes minutes and 5 GiB for that time."""

    name = "debian"

    def __init__(self, options: DebianOptions, *, cache_dir: Path) -> None:
        self._options = options
        self._cache_dir = cache_dir
        self._cache = ReleaseCache(cache_dir, self.name)

    def find(self, version: KubernetesVersion) -> Release | None:
        return self._cache.find(version, self._origin())

    def newest(self, minor: int) -> KubernetesVersion:
        """Of those in the cache: what a suite of Debian has is asked for by its whole version."""
        found = self._cache.newest(minor)
        if found is None:
            raise no_newest("Debian", minor)
        return found

    def fetch(self, version: KubernetesVersion, say: Say) -> Release:
        def build(tree: Path, work: Path) -> Contents:
            return self._build(version, say, tree, work)

        return self._cache.make(version, self._origin(), say, build)

    def _origin(self) -> Mapping[str, str]:
        return {"suite": self._options.suite, "architecture": host_architecture(), "recipe": RECIPE}

    def _build(self, version: KubernetesVersion, say: Say, tree: Path, work: Path) -> Contents:
        require_host(self._cache_dir)
        archive = DebianArchive(work, mirror=self._options.mirror or host_mirror(), suite=self._options.suite)
        log = self._cache_dir / f"debian-{version}.log"
        log.unlink(missing_ok=True)
        log.touch(mode=0o600)
        say(f"asking Debian's archive at {archive.mirror} for the source of Kubernetes")
        archive.update()
        package = archive.source_version("kubernetes")
        require_version(version, package, archive.suite)
        etcd_version = upstream_version(archive.source_version("etcd"))
        say(f"making a throw-away Debian {archive.suite} to compile in")
        root = work / "root"
        make_root(root, archive, log=log)
        say(f"downloading the source package kubernetes {package}")
        (root / "src").mkdir()
        archive.download_source("kubernetes", package, root / "src")
        say(f"compiling Kubernetes {version}, about 5 minutes on 2 cores")
        built = compile_release(root, version, say, log=log)
        say("keeping the compiled release")
        for name in KUBERNETES_BINARIES:
            (built / name).rename(tree / "bin" / name)
        images = write_images(built, tree / "images", architecture=host_architecture())
        log.unlink()
        return Contents(
            etcd_version=etcd_version,
            pause_image=PAUSE_IMAGE,
            images=images,
            stemcell_binaries=STEMCELL_ETCD,
            dockerless=True,
        )


def require_host(cache_dir: Path) -> None:
    """HostError unless this host can compile a release below *cache_dir*."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise HostError(f"compiling Kubernetes needs {', '.join(missing)}; on Debian run: apt-get install mmdebstrap")
    if os.geteuid() != 0:
        raise HostError("compiling Kubernetes in a throw-away root needs root; run this as root")
    free = shutil.disk_usage(cache_dir).free
    if free < NEEDED_GIB * GIB:
        raise HostError(
            f"compiling Kubernetes needs {NEEDED_GIB} GiB below {cache_dir} and {free / GIB:.1f} GiB are free"
        )


def require_version(version: KubernetesVersion, package: str, suite: str) -> None:
    """NotFound unless the source package *package* of the suite is *version*."""
    offered = upstream_version(package)
    if offered != str(version):
        raise NotFound(
            f"Debian's suite {suite} has the source of Kubernetes {offered}, not of {version}; "
            f"ask for {offered}, or take {version} from the source 'upstream' or 'directory'"
        )
