"""Persistent disks: directories that outlive the machine they are bound into."""

from __future__ import annotations

import shutil
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import NotFound, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Disk, DiskRequest
from kubo_sdk_local.layout import Layout, Place, digest
from kubo_sdk_local.records import MachineRecord
from kubo_sdk_local.storage import read_json, remove_empty, remove_tree, write_json


@frozen(kw_only=True)
class DiskRecord:
    """One disk.  ``place.leaf`` is the name of its directory."""

    place: Place
    instance: str
    token: str
    size_mb: int

    def disk(self, attached_to: str | None) -> Disk:
        """The disk as the port tells it."""
        return Disk(
            id=self.place.id,
            cluster=self.place.cluster,
            instance=self.instance,
            token=self.token,
            size_mb=self.size_mb,
            attached_to=attached_to,
        )


def directory_of(layout: Layout, place: Place) -> Path:
    return layout.disks(place.cluster) / f"{place.leaf}.{place.mark}"


def data_directory(layout: Layout, id: str) -> Path:
    """Where the content of the disk of that id lies."""
    return directory_of(layout, get(layout, id).place) / "data"


def create(layout: Layout, request: DiskRequest) -> DiskRecord:
    """Make the disk, or return the one that this token made before.  QuotaExceeded when the host lacks the room."""
    place = Place(cluster=request.cluster, leaf=request.instance.slug, mark=digest(request.token))
    there = find(layout, place)
    if there is not None:
        return there
    parent = layout.disks(request.cluster)
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    free_mb = shutil.disk_usage(parent).free >> 20
    if free_mb < request.size_mb:
        raise QuotaExceeded(
            f"a disk of {request.size_mb} MB for {request.instance.id} does not fit into {parent}, "
            f"where {free_mb} MB are free"
        )
    directory = directory_of(layout, place)
    (directory / "data").mkdir(parents=True, exist_ok=True)
    (directory / "data").chmod(0o755)
    record = DiskRecord(place=place, instance=request.instance.id, token=request.token, size_mb=request.size_mb)
    write_json(
        directory / "disk.json",
        {"slug": place.leaf, "instance": record.instance, "token": record.token, "size_mb": record.size_mb},
    )
    return record


def find(layout: Layout, place: Place) -> DiskRecord | None:
    """The disk at *place*, or None."""
    return _read(place.cluster, directory_of(layout, place))


def get(layout: Layout, id: str) -> DiskRecord:
    """The disk of that id; NotFound when there is none."""
    place = Place.parse(id)
    record = None if place is None else find(layout, place)
    if record is None:
        raise NotFound(f"there is no disk {id}")
    return record


def read_all(layout: Layout, cluster: ClusterId) -> tuple[DiskRecord, ...]:
    """Every disk of the cluster, in the order of their names."""
    directories = sorted(path.parent for path in layout.disks(cluster).glob("*/disk.json"))
    found = (_read(cluster, directory) for directory in directories)
    return tuple(record for record in found if record is not None)


def _read(cluster: ClusterId, directory: Path) -> DiskRecord | None:
    content = read_json(directory / "disk.json")
    if content is None:
        return None
    place = Place(cluster=cluster, leaf=content["slug"], mark=digest(content["token"]))
    return DiskRecord(place=place, instance=content["instance"], token=content["token"], size_mb=content["size_mb"])


def remove(layout: Layout, place: Place) -> None:
    """Destroy the disk and what is on it, its record last."""
    directory = directory_of(layout, place)
    remove_tree(directory / "data")
    remove_tree(directory)
    remove_empty(layout.disks(place.cluster))


def holder(machines: tuple[MachineRecord, ...], id: str) -> MachineRecord | None:
    """The machine that has the disk, or None."""
    return next((machine for machine in machines if id in machine.disks), None)
