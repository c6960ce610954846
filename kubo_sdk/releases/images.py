"""Container image archives, as ``docker save`` writes them: pure, and the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

EPOCH = "1970-01-01T00:00:00Z"


def docker_archive(
    name: str,
    files: Mapping[str, tuple[bytes, int]],
    *,
    architecture: str,
    links: Mapping[str, str] | None = None,
    entrypoint: Iterable[str] = (),
    command: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    user: str = "",
) -> bytes:
    """An archive with one image of one layer, called *name* (``repository:tag``).

    *files*: content and mode by path; a path that ends with a slash is a directory.  *links*: target by path.
    Directories on the way to a file are made.  Everything belongs to root and carries no time.
    """
    layer = _layer(files, links or {})
    settings = {
        "Cmd": list(command) or None,
        "Entrypoint": list(entrypoint) or None,
        "Env": [f"{key}={value}" for key, value in sorted((environment or {}).items())] or None,
        "User": user or None,
    }
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": EPOCH,
            "config": {key: value for key, value in settings.items() if value is not None},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(layer)}"]},
            "history": [{"created": EPOCH, "created_by": name}],
        }
    )
    config_name, layer_name = f"{_sha256(config)}.json", f"{_sha256(layer)}/layer.tar"
    manifest = _json([{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}])
    return _tar({config_name: (config, 0o644), layer_name: (layer, 0o644), "manifest.json": (manifest, 0o644)}, {})


def _layer(files: Mapping[str, tuple[bytes, int]], links: Mapping[str, str]) -> bytes:
    """The file system of the image: directories come before what lies in them."""
    entries = {path.lstrip("/"): entry for path, entry in files.items()}
    bare_links = {path.lstrip("/"): target for path, target in links.items()}
    for path in (*entries, *bare_links):
        for parent in PurePosixPath(path).parents:
            if parent != PurePosixPath() and f"{parent}/" not in entries:
                entries = {**entries, f"{parent}/": (b"", 0o755)}
    return _tar(entries, bare_links)


def _tar(entries: Mapping[str, tuple[bytes, int]], links: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted((*entries, *links)):
            content, mode = entries.get(path, (b"", 0o777))
            member = tarfile.TarInfo(path.rstrip("/"))
            member.mode, member.size = mode, len(content)
            if path in links:
                member.type, member.linkname = tarfile.SYMTYPE, links[path]
            elif path.endswith("/"):
                member.type = tarfile.DIRTYPE
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
