"""Release source ``directory``: files that somebody put there, for places without a network.

::

    <path>/bin/          kube-apiserver … kubectl; etcd and etcdctl too, unless the stemcell's are to be used
    <path>/images/*.tar  container images that workers load; the pause image is found by its name
    <path>/SHA256SUMS    when there, every file used must be listed in it and match
    <path>/VERSION       when there, it is believed; otherwise the programs are asked

A ``{version}`` in the path stands for the version that is wanted, so that several can lie side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import ConfigError, HostError, NotFound
from kubo_sdk.model.release import KUBERNETES_BINARIES, Release
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.archives import add_archives, signature
from kubo_sdk.releases.cache import ReleaseCache
from kubo_sdk.releases.companions import STEMCELL_ETCD, STEMCELL_ETCD_VERSION, companions
from kubo_sdk.releases.files import copy_file, sha256_of
from kubo_sdk.releases.http import checksum_in
from kubo_sdk.releases.manifest import Contents
from kubo_sdk.releases.programs import VERSION_FILE, program_version
from kubo_sdk.releases.protocol import Say, no_newest

SUMS_FILE = "SHA256SUMS"
ETCD_REQUIRED = ("etcd", "etcdctl")
ETCD_OPTIONAL = ("etcdutl",)
PLACEHOLDER = "{version}"


@frozen(kw_only=True)
class DirectoryOptions:
    """``path`` is relative to the spec.

    ``pause_image``: what workers are told to use, by default the one among the archives, or the registry's.
    ``etcd_version``: for etcd programs that cannot run on this host.
    """

    path: str = ""
    pause_image: str = ""
    etcd_version: str = ""


class DirectorySource:
    """Copies the files into the cache, so that later changes of the directory reach no machine by accident."""

    name = "directory"

    def __init__(self, options: DirectoryOptions, *, cache_dir: Path, base_dir: Path) -> None:
        if not options.path:
            raise ConfigError(["the release source 'directory' needs the option 'path'"])
        self._options = options
        self._base = base_dir
        self._cache = ReleaseCache(cache_dir, self.name)

    def find(self, version: KubernetesVersion) -> Release | None:
        return self._cache.find(version, self._of(version).origin())

    def fetch(self, version: KubernetesVersion, say: Say) -> Release:
        files = self._of(version)

        def build(tree: Path, work: Path) -> Contents:  # noqa: ARG001 (nothing needs room beside the tree)
            return files.copy(version, say, tree)

        return self._cache.make(version, files.origin(), say, build)

    def newest(self, minor: int) -> KubernetesVersion:
        """The newest for which there is a directory."""
        before, placeholder, behind = str(self._base / self._options.path).partition(PLACEHOLDER)
        parent, _, start = before.rpartition("/")
        pattern = re.compile(rf"{re.escape(start)}(1\.{minor}\.\d+){re.escape(behind.partition('/')[0])}")
        there = Path(parent).iterdir() if placeholder and Path(parent).is_dir() else ()
        found = [KubernetesVersion.parse(match[1]) for path in there if (match := pattern.fullmatch(path.name))]
        if not found:
            raise no_newest(self._options.path, minor)
        return max(found)

    def _of(self, version: KubernetesVersion) -> _Files:
        return _Files(self._options, self._base / self._options.path.replace(PLACEHOLDER, str(version)))


class _Files:
    """The directory of one version."""

    def __init__(self, options: DirectoryOptions, path: Path) -> None:
        self._options = options
        self._path = path

    def origin(self) -> Mapping[str, str]:
        """Changes with every file of the directory, so that `find` does not answer with yesterday's.

        A directory that is gone, such as a medium that was taken out, leaves what was copied from it in use.
        """
        origin = {
            "path": str(self._path),
            "pause_image": self._options.pause_image,
            "etcd_version": self._options.etcd_version,
        }
        if not self._path.is_dir():
            return origin
        files = [*self._path.glob("bin/*"), *self._path.glob("images/*.tar")]
        return {**origin, "files": signature([*sorted(files), self._path / SUMS_FILE, self._path / VERSION_FILE])}

    def copy(self, version: KubernetesVersion, say: Say, tree: Path) -> Contents:
        programs, archives = self._programs(), sorted(self._path.glob("images/*.tar"))
        self._verify([*programs, *archives])
        self._require_version(version)
        say(f"copying Kubernetes {version} from {self._path}")
        for program in programs:
            copy_file(program, tree / "bin" / program.name)
        images, pause = add_archives(archives, tree / "images")
        own_etcd = self._path / "bin" / "etcd" in programs
        return Contents(
            etcd_version=self._etcd_version() if own_etcd else STEMCELL_ETCD_VERSION,
            pause_image=self._options.pause_image or pause or companions(version).pause_image,
            images=images,
            stemcell_binaries={} if own_etcd else STEMCELL_ETCD,
        )

    def _programs(self) -> list[Path]:
        """The programs to take; HostError names every one that is missing."""
        directory = self._path / "bin"
        if not directory.is_dir():
            raise HostError(f"there is no directory {directory}; put the Kubernetes binaries there")
        wanted = list(KUBERNETES_BINARIES)
        if any((directory / name).is_file() for name in ETCD_REQUIRED):
            wanted += ETCD_REQUIRED
        missing = [name for name in wanted if not (directory / name).is_file()]
        if missing:
            raise HostError(f"{directory} lacks {', '.join(missing)}; put them there")
        wanted += [name for name in ETCD_OPTIONAL if "etcd" in wanted and (directory / name).is_file()]
        return [directory / name for name in wanted]

    def _verify(self, files: list[Path]) -> None:
        sums = self._path / SUMS_FILE
        if not sums.is_file():
            return
        listing = sums.read_text()
        for file in files:
            name = file.relative_to(self._path).as_posix()
            expected = checksum_in(listing, name)
            if expected is None:
                raise HostError(f"{sums} does not list {name}; add it, or remove {SUMS_FILE} to do without checksums")
            if sha256_of(file) != expected:
                raise HostError(f"{file} does not match {sums}; copy it again")

    def _require_version(self, version: KubernetesVersion) -> None:
        """NotFound unless everything here is of that version."""
        stated = self._path / VERSION_FILE
        if stated.is_file():
            versions = {VERSION_FILE: stated.read_text().strip().removeprefix("v")}
        else:
            versions = {name: program_version(self._path / "bin" / name) for name in KUBERNETES_BINARIES}
        wrong = [f"{name} is {found}" for name, found in versions.items() if found != str(version)]
        if wrong:
            raise NotFound(f"{self._path} does not hold Kubernetes {version}: {', '.join(wrong)}; use matching files")

    def _etcd_version(self) -> str:
        return self._options.etcd_version or program_version(self._path / "bin" / "etcd")
