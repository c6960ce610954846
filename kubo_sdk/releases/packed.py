"""A directory as one file to be sent to machines: made once, kept in the cache, read by everybody who sends it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from attrs import frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError
from kubo_sdk.releases.files import sha256_of, sync

DIRECTORY = ".packed"
LOCK_TIMEOUT = 900.0


@frozen(kw_only=True)
class Packed:
    """One tar file: where it lies, its size in bytes and its SHA-256."""

    path: Path
    size: int
    sha256: str

    def pieces(self, start: int, size: int) -> Iterator[tuple[int, bytes]]:
        """The content from byte *start* on, as (place, at most *size* bytes)."""
        with self.path.open("rb") as file:
            file.seek(start)
            while piece := file.read(size):
                yield file.tell() - len(piece), piece


def pack_release(tree: Path, *, anew: bool = False) -> Packed:
    """The release lying at *tree*, compressed.  *anew*: the file that is there is not believed.  HostError."""
    return _pack(tree, _entries(tree), tree.parent / DIRECTORY, f"{tree.name}.tar.gz", anew=anew)


def pack_bundle(bundle: Path, cache: Path, *, anew: bool = False) -> Packed:
    """The packages of the directory *bundle*, packed below *cache*.  HostError when there are none."""
    name = f"bundle-{bundle_digest(bundle)}.tar"
    return _pack(bundle, _packages(bundle), cache / DIRECTORY, name, anew=anew)


def bundle_digest(bundle: Path) -> str:
    """Names the content of a directory of packages, by their names, sizes and times."""
    facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _packages(bundle)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _packages(bundle: Path) -> list[Path]:
    found = sorted(bundle.glob("*.deb"))
    if not found:
        raise HostError(f"the bundle {bundle} holds no .deb files; put those in that machines need")
    return found


def _entries(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def _pack(top: Path, paths: Iterable[Path], directory: Path, name: str, *, anew: bool) -> Packed:
    target = directory / name
    try:
        directory.mkdir(exist_ok=True)
        # Machines that come at once need not take turns once it is there.
        made = None if anew else _known(target)
        if made is not None:
            return made
        with _only_one(directory / f".{name}.lock", name):
            found = None if anew else _known(target)
            if found is None:
                found = _make(top, paths, target)
                _sweep(directory)
            return found
    except OSError as error:
        raise HostError(f"cannot pack {top} into {target}: {error}; make room there") from error


def _known(target: Path) -> Packed | None:
    try:
        record = json.loads(_record(target).read_text())
        if target.stat().st_size == record["size"]:
            return Packed(path=target, size=record["size"], sha256=record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # As good as not there.
    return None


def _make(top: Path, paths: Iterable[Path], target: Path) -> Packed:
    """What bears the name is whole: the record, by which the file is found, comes last."""
    fresh = target.with_name(f".{target.name}.new")
    mode: Literal["w:gz", "w"] = "w:gz" if target.suffix == ".gz" else "w"
    level = {"compresslevel": 1} if mode == "w:gz" else {}
    with tarfile.open(fresh, mode, format=tarfile.GNU_FORMAT, **level) as archive:  # type: ignore[call-overload]
        for path in paths:
            archive.add(path, arcname=str(path.relative_to(top)), recursive=False, filter=_nobodys)
    sync(fresh)
    made = Packed(path=target, size=fresh.stat().st_size, sha256=sha256_of(fresh))
    _record(target).unlink(missing_ok=True)
    fresh.replace(target)
    record = _record(target)
    draft = record.with_name(f".{record.name}.new")
    draft.write_text(json.dumps({"size": made.size, "sha256": made.sha256}))
    draft.replace(record)
    return made


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _sweep(directory: Path) -> None:
    """Remove what was packed of releases that are no longer there."""
    for path in directory.glob("*.tar.gz"):
        if not (directory.parent / path.name.removesuffix(".tar.gz")).is_dir():
            _record(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _record(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


@contextmanager
def _only_one(lock_file: Path, name: str) -> Iterator[None]:
    with lock_file.open("w") as lock:
        wait_until(lambda: _try_lock(lock), what=f"another process packing {name}", timeout=LOCK_TIMEOUT)
        yield


def _try_lock(lock: IO[str]) -> bool | None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return True
