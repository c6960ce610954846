"""Image archives that a user brings along: copied, with the pause image's first."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kubo_sdk.errors import HostError
from kubo_sdk.releases.files import copy_file


def signature(paths: Iterable[Path]) -> str:
    """A text that changes when one of the files does; cheap.  Files that are absent count as absent."""
    seen = []
    for path in paths:
        try:
            status = path.stat()
            seen.append(f"{path}:{status.st_size}:{status.st_mtime_ns}")
        except OSError:
            seen.append(f"{path}:absent")
    return hashlib.sha256("\n".join(seen).encode()).hexdigest() if seen else ""


def add_archives(archives: Sequence[Path], into: Path) -> tuple[tuple[str, ...], str | None]:
    """Copy the archives; returns their names, the pause image's first, and what the pause image is called."""
    missing = [str(archive) for archive in archives if not archive.is_file()]
    if missing:
        raise HostError(f"these image archives are not there: {', '.join(missing)}; put them there or leave them out")
    pauses = {archive.name: name for archive in archives if (name := pause_name(archive))}
    names = sorted((archive.name for archive in archives), key=lambda name: (name not in pauses, name))
    if len(set(names)) < len(names):
        raise HostError(f"two image archives have the same name among {', '.join(names)}; rename one")
    for archive in archives:
        copy_file(archive, into / archive.name)
    return tuple(names), next((pauses[name] for name in names if name in pauses), None)


def pause_name(archive: Path) -> str | None:
    """What the archive calls its pause image; None when it has none.  HostError when it is no image archive."""
    for name in image_names(archive):
        repository = name.rpartition(":")[0] or name
        if repository.rpartition("/")[2] == "pause":
            return name
    return None


def image_names(archive: Path) -> tuple[str, ...]:
    """Every name in an archive written by ``docker save``, or with the annotations of an OCI layout."""
    try:
        with tarfile.open(archive) as tar:
            for member, read in (("manifest.json", _docker_names), ("index.json", _oci_names)):
                try:
                    content = tar.extractfile(member)
                except KeyError:
                    continue
                if content is not None:
                    return read(content.read())
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(f"{archive} is no image archive ({error}); make it with docker save or ctr export") from error
    raise HostError(f"{archive} is no image archive (it has no manifest.json); make it with docker save or ctr export")


def _docker_names(manifest: bytes) -> tuple[str, ...]:
    return tuple(name for image in json.loads(manifest) for name in image.get("RepoTags") or ())


def _oci_names(index: bytes) -> tuple[str, ...]:
    annotations = [entry.get("annotations", {}) for entry in json.loads(index)["manifests"]]
    names = [entry.get("io.containerd.image.name") for entry in annotations]
    return tuple(name for name in names if name)
