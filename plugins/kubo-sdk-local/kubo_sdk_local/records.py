"""What is written down about clusters and machines, before anything else of them exists."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from kubo_sdk.model.instance import ClusterId
from kubo_sdk_local.layout import Layout, Place
from kubo_sdk_local.storage import read_json, write_json


@frozen(kw_only=True)
class ClusterRecord:
    """One prepared cluster.  ``nameservers`` are what its machines ask for names outside; none without an outside."""

    subnet: IPv4Network
    outside: bool = False
    nameservers: tuple[str, ...] = ()


@frozen(kw_only=True)
class MachineRecord:
    """One machine: all that is needed to start it again.

    ``serial`` is random, so a machine is never taken for the one that filled its slot before.  ``stemcell`` is the tree
    its root was first laid over; a root cannot change what it lies over.  ``doomed``: its removal has begun.
    """

    director: str
    cluster: str
    instance: str
    slug: str
    token: str
    serial: str
    az: str
    address: str
    stemcell: str
    cpus: int = 0
    memory_mb: int = 0
    disks: tuple[str, ...] = ()
    trees: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    doomed: bool = False

    @property
    def owner(self) -> ClusterId:
        return ClusterId(director=self.director, name=self.cluster)

    @property
    def place(self) -> Place:
        return Place(cluster=self.owner, leaf=self.slug, mark=self.serial[:8])

    @property
    def id(self) -> str:
        return self.place.id


def read_cluster(layout: Layout, cluster: ClusterId) -> ClusterRecord | None:
    """The record of a prepared cluster, or None."""
    found = read_json(layout.cluster(cluster) / "cluster.json")
    if found is None:
        return None
    return ClusterRecord(
        subnet=IPv4Network(found["subnet"]),
        outside=found["outside"],
        nameservers=tuple(found["nameservers"]),
    )


def write_cluster(layout: Layout, cluster: ClusterId, record: ClusterRecord) -> None:
    directory = layout.cluster(cluster)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {"subnet": str(record.subnet), "outside": record.outside, "nameservers": list(record.nameservers)}
    write_json(directory / "cluster.json", content)


def read_machine(directory: Path) -> MachineRecord | None:
    """The machine whose directory this is, or None."""
    found = read_json(directory / "machine.json")
    return None if found is None else MachineRecord(**{key: _tuples(value) for key, value in found.items()})


def write_machine(directory: Path, record: MachineRecord) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "machine.json", asdict(record))


def read_machines(layout: Layout, cluster: ClusterId) -> tuple[MachineRecord, ...]:
    """Every machine of the cluster, in the order of their names."""
    directory = layout.cluster(cluster)
    names = sorted(path.parent for path in directory.glob("*/machine.json"))
    return tuple(record for record in map(read_machine, names) if record is not None)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
