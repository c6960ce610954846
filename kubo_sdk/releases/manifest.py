"""Manifest: what a cached release consists of, and the digest that names it.  Values only, no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from kubo_sdk.model.release import Release
from kubo_sdk.model.version import KubernetesVersion

FILE_NAME = "release.json"
FORMAT = 1
DIGEST_LENGTH = 12


@frozen(kw_only=True)
class FileRecord:
    """One file: its content, and the size and time by which a change is noticed without reading it."""

    sha256: str
    size: int
    mtime_ns: int


@frozen(kw_only=True)
class Contents:
    """What a source knows of the files it laid down.  ``images`` names the archives, the pause image's first.

    ``dockerless``: the kubelet was built without the code that looks for Docker.
    """

    etcd_version: str
    pause_image: str
    images: tuple[str, ...] = ()
    stemcell_binaries: Mapping[str, str] = field(factory=dict, hash=False)
    dockerless: bool = False


@frozen(kw_only=True)
class Manifest:
    """``origin``: which settings of the source led to this release; ``files``: by path inside the tree."""

    version: KubernetesVersion
    source: str
    origin: Mapping[str, str] = field(hash=False)
    contents: Contents
    files: Mapping[str, FileRecord] = field(hash=False)

    @property
    def digest(self) -> str:
        """Names the content: every file and what is known of it, but neither times nor where it came from."""
        files = {path: record.sha256 for path, record in self.files.items()}
        content = {"version": str(self.version), "contents": asdict(self.contents), "files": files}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGEST_LENGTH]

    @property
    def directory(self) -> str:
        """What the tree is called inside the cache."""
        return f"{self.version}-{self.source}-{self.digest}"

    def release(self, tree: Path) -> Release:
        """The release lying at *tree*."""
        return Release(
            version=self.version,
            source=self.source,
            digest=self.digest,
            tree=tree,
            etcd_version=self.contents.etcd_version,
            pause_image=self.contents.pause_image,
            images=self.contents.images,
            stemcell_binaries=dict(self.contents.stemcell_binaries),
            dockerless=self.contents.dockerless,
        )

    def dumps(self) -> str:
        """As the text of ``release.json``."""
        document = {
            "format": FORMAT,
            "version": str(self.version),
            "source": self.source,
            "origin": dict(self.origin),
            "contents": asdict(self.contents),
            "files": {path: asdict(record) for path, record in sorted(self.files.items())},
        }
        return json.dumps(document, indent=2) + "\n"


def loads(text: str) -> Manifest:
    """Read what `Manifest.dumps` wrote; ValueError for anything else."""
    try:
        return _manifest(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a release manifest: {error}") from error


def _manifest(document: Mapping[str, Any]) -> Manifest:
    if document["format"] != FORMAT:
        raise ValueError(f"a release manifest of format {document['format']!r}, this program reads {FORMAT}")
    contents = dict(document["contents"])
    contents["images"] = tuple(contents["images"])
    return Manifest(
        version=KubernetesVersion.parse(document["version"]),
        source=document["source"],
        origin=document["origin"],
        contents=Contents(**contents),
        files={path: FileRecord(**record) for path, record in document["files"].items()},
    )
