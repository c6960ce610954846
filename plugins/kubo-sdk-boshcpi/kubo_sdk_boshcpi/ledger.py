"""Ledger: which machines and disks of the CPI are ours, in a small file each.

A BOSH CPI cannot list, so this is all there is to find them by.  A file is written before the CPI is asked to create
anything, and gets the cid afterwards; the answer is kept beside it until then.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, fields_dict, frozen

from kubo_sdk.errors import HostError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_boshcpi.executable import mark_of
from kubo_sdk_boshcpi.locks import locked, read_json, write_json

UNFINISHED = "unfinished:"


class Kind(StrEnum):
    """What the ledger holds."""

    VM = "vm"
    DISK = "disk"


@frozen(kw_only=True)
class Entry:
    """One machine or disk.  ``cid`` is empty from before its creation is asked for until the answer is written down.

    Of machines: ``az``, ``agent_id``, ``addresses`` by network, ``address`` and ``tags``.  Of disks: ``size_mb``,
    ``attached_to``, the cid of a machine, and ``mounted``, false while an attachment is on its way.
    """

    kind: Kind
    director: str
    cluster: str
    instance: str
    token: str
    began: str = ""
    cid: str = ""
    az: str = ""
    agent_id: str = ""
    address: str = ""
    addresses: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    size_mb: int = 0
    attached_to: str = ""
    mounted: bool = False

    @property
    def owner(self) -> ClusterId:
        return ClusterId(director=self.director, name=self.cluster)

    @property
    def slug(self) -> str:
        """The instance where a slash is not allowed."""
        return self.instance.replace("/", "-")

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        return f"{self.slug}.{hashlib.sha256(self.token.encode()).hexdigest()[:12]}"

    @property
    def id(self) -> str:
        """What the core calls it: the cid, or a name of ours while there is none."""
        return self.cid or f"{UNFINISHED}{self.kind}/{self.name}"


@frozen(kw_only=True)
class Ledger:
    """The entries below ``root``, a directory for each cluster.  ``patience``: seconds to wait for another's change."""

    root: Path
    patience: float

    def directory(self, cluster: ClusterId) -> Path:
        return self.root / cluster.director / cluster.name

    def doubts(self, cluster: ClusterId) -> Path:
        """Where creations are noted whose end nobody knows."""
        return self.directory(cluster) / "doubts"

    def answer(self, entry: Entry) -> Path:
        """The file that keeps the CPI's answer until the entry has its cid."""
        return self._path(entry).with_suffix(".answer")

    def _path(self, entry: Entry) -> Path:
        return self.directory(entry.owner) / f"{entry.kind}s" / f"{entry.name}.json"

    @contextmanager
    def locked(self, entry: Entry) -> Iterator[Entry | None]:
        """Hold the place of *entry*; yields what is written there."""
        path = self.directory(entry.owner) / "locks" / f"{entry.kind}.{entry.name}"
        with locked(path, f"{entry.instance} of cluster {entry.owner}", timeout=self.patience):
            yield self.read(entry)

    @contextmanager
    def locked_addresses(self) -> Iterator[frozenset[str]]:
        """Hold the addresses of all clusters; yields those that machines have."""
        with locked(self.root / ".addresses", "the addresses of machines", timeout=self.patience):
            entries = _read_all(self.root.glob("*/*/vms/*.json"))
            yield frozenset(address for entry in entries for _, address in entry.addresses)

    def read(self, entry: Entry) -> Entry | None:
        """The entry in the place of *entry* as it is now."""
        return _read(self._path(entry))

    def write(self, entry: Entry) -> None:
        write_json(self._path(entry), asdict(entry))

    def remove(self, entry: Entry) -> None:
        """Forget the entry and its answer."""
        self._path(entry).unlink(missing_ok=True)
        self.remove_answer(entry)

    def remove_answer(self, entry: Entry) -> None:
        answer = self.answer(entry)
        answer.unlink(missing_ok=True)
        mark_of(answer).unlink(missing_ok=True)

    def doubt(self, entry: Entry) -> None:
        """Note that the CPI may have made what *entry* asked for, without telling its cid; forget the entry."""
        path = self.doubts(entry.owner) / f"{entry.kind}.{entry.name}.{entry.began.replace(':', '')}.json"
        write_json(path, asdict(entry))
        self.remove(entry)

    def doubted(self, cluster: ClusterId) -> tuple[Entry, ...]:
        return _read_all(self.doubts(cluster).glob("*.json"))

    def entries(self, cluster: ClusterId, kind: Kind) -> tuple[Entry, ...]:
        """Every entry of the cluster, in the order of their names."""
        return _read_all((self.directory(cluster) / f"{kind}s").glob("*.json"))

    def find(self, kind: Kind, id: str) -> Entry | None:
        """The entry of that id in any cluster, or None."""
        found = _read_all(self.root.glob(f"*/*/{kind}s/*.json"))
        return next((entry for entry in found if entry.id == id), None)

    def attached(self, entry: Entry) -> tuple[Entry, ...]:
        """The disks that are on the machine of *entry*."""
        disks = self.entries(entry.owner, Kind.DISK)
        return tuple(disk for disk in disks if entry.cid and disk.attached_to == entry.cid)

    def release(self, vm: Entry) -> None:
        """Write down that no disk is on that machine any more."""
        for disk in self.attached(vm):
            with self.locked(disk) as there:
                if there is not None and there.attached_to == vm.cid:
                    self.write(evolve(there, attached_to="", mounted=False))

    def clusters(self) -> tuple[Path, ...]:
        """The directories of all clusters."""
        return tuple(path for path in self.root.glob("*/*") if path.is_dir())

    def forget(self, cluster: ClusterId) -> None:
        """Remove all that is written down about the cluster."""
        shutil.rmtree(self.directory(cluster), ignore_errors=True)
        with contextlib.suppress(OSError):
            self.directory(cluster).parent.rmdir()

    def remembered(self, cluster: ClusterId) -> dict[str, dict[str, str]]:
        """The addresses instances had: by network, by slug."""
        return read_json(self.directory(cluster) / "addresses.json") or {}

    def remember(self, cluster: ClusterId, addresses: Mapping[str, Mapping[str, str]]) -> None:
        write_json(self.directory(cluster) / "addresses.json", addresses)


def _read_all(paths: Iterator[Path]) -> tuple[Entry, ...]:
    return tuple(entry for entry in map(_read, sorted(paths)) if entry is not None)


def _read(path: Path) -> Entry | None:
    found = read_json(path)
    if found is None:
        return None
    known = fields_dict(Entry)
    try:
        return Entry(**{key: _value(key, value) for key, value in found.items() if key in known})
    except (TypeError, ValueError) as error:
        raise HostError(f"{path} is no entry of the ledger ({error}); write it anew as the README tells") from error


def _value(key: str, value: Any) -> Any:
    if key == "kind":
        return Kind(value)
    return tuple((str(name), str(content)) for name, content in value) if isinstance(value, list) else value
