"""The cache of releases: one directory per content, made beside it and moved into place in one step."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attrs import evolve

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError
from kubo_sdk.model.release import Release
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.check import check, read_manifest
from kubo_sdk.releases.files import list_files, remove_tree, seal, sync
from kubo_sdk.releases.manifest import FILE_NAME, Contents, Manifest
from kubo_sdk.releases.protocol import Say

LOCK_TIMEOUT = 3600.0

Build = Callable[[Path, Path], Contents]
"""Lays ``bin/`` and ``images/`` below the first directory; the second is for its own use and removed afterwards."""


class ReleaseCache:
    """The releases of one source below ``<cache_dir>/releases``."""

    def __init__(self, cache_dir: Path, source: str) -> None:
        self._root = cache_dir / "releases"
        self._source = source

    def find(self, version: KubernetesVersion, origin: Mapping[str, str]) -> Release | None:
        """The newest release of *version* whose origin agrees with *origin*; HostError when it is damaged."""
        trees = [tree for tree in self._root.glob(f"{version}-{self._source}-*") if tree.is_dir()]
        for tree in sorted(trees, key=lambda tree: tree.stat().st_ctime_ns, reverse=True):
            manifest = read_manifest(tree)
            if origin.items() <= manifest.origin.items():
                return self._checked(tree, manifest)
        return None

    def newest(self, minor: int) -> KubernetesVersion | None:
        """The newest version of that minor version which lies here."""
        found = []
        for tree in self._root.glob(f"1.{minor}.*-{self._source}-*"):
            with suppress(ValueError):
                found.append(KubernetesVersion.parse(tree.name.partition("-")[0]))
        return max(found, default=None)

    def make(self, version: KubernetesVersion, origin: Mapping[str, str], say: Say, build: Build) -> Release:
        """Find the release, or have it built: by one process at a time, whole or not at all."""
        name = f"{version}-{self._source}"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with self._only_one(name, say):
                found = self.find(version, origin)
                if found is not None:
                    return found
                self._sweep(name)
                return self._build(name, version, origin, build)
        except OSError as error:
            raise HostError(f"cannot write the release cache {self._root}: {error}") from error

    def _build(self, name: str, version: KubernetesVersion, origin: Mapping[str, str], build: Build) -> Release:
        making = self._root / f".making-{name}"
        tree, work = making / "release", making / "work"
        try:
            for directory in (tree / "bin", tree / "images", work):
                directory.mkdir(parents=True)
            contents = build(tree, work)
            return self._publish(tree, version, origin, contents)
        finally:
            remove_tree(making, required=False)

    def _publish(
        self, tree: Path, version: KubernetesVersion, origin: Mapping[str, str], contents: Contents
    ) -> Release:
        files = {
            path: seal(tree / path, 0o755 if path.startswith("bin/") else 0o644) for path in sorted(list_files(tree))
        }
        manifest = Manifest(version=version, source=self._source, origin=origin, contents=contents, files=files)
        target = self._root / manifest.directory
        if target.exists():
            # The same content came from somewhere else before: keep it, machines may be running on it.
            kept = check(target, read_manifest(target))
            _write_manifest(target, evolve(kept, origin=origin))
        else:
            _write_manifest(tree, manifest)
            for directory in (tree / "bin", tree / "images", tree):
                directory.chmod(0o755)
                sync(directory)
            tree.rename(target)
            sync(self._root)
        return manifest.release(target)

    def _checked(self, tree: Path, manifest: Manifest) -> Release:
        checked = check(tree, manifest)
        if checked != manifest:
            with suppress(OSError):  # a cache that cannot be written is read once more the next time
                _write_manifest(tree, checked)
        return checked.release(tree)

    @contextmanager
    def _only_one(self, name: str, say: Say) -> Iterator[None]:
        with (self._root / f".{name}.lock").open("w") as lock:
            if not _try_lock(lock):
                say(f"waiting for another process that is getting Kubernetes {name}")
                wait_until(lambda: _try_lock(lock) or None, what=f"the release {name}", timeout=LOCK_TIMEOUT)
            yield

    def _sweep(self, own: str) -> None:
        """Remove what killed processes left half made: their locks are free."""
        for making in self._root.glob(".making-*"):
            name = making.name.removeprefix(".making-")
            if name == own:
                remove_tree(making)
                continue
            with (self._root / f".{name}.lock").open("w") as lock:
                if _try_lock(lock):
                    remove_tree(making)


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_manifest(tree: Path, manifest: Manifest) -> None:
    """Write ``release.json`` so that a reader sees the old or the new one, never half of it."""
    draft = tree.parent / f".{tree.name}.{os.getpid()}.json"
    draft.write_text(manifest.dumps())
    sync(draft)
    draft.replace(tree / FILE_NAME)
