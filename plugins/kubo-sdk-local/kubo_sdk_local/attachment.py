"""Disks on machines: what is written down about it, and the mount in a running machine."""

from __future__ import annotations

import os

from attrs import evolve

from kubo_sdk.errors import Conflict
from kubo_sdk.ports.cpi import VmState
from kubo_sdk_local import disks, machines, processes
from kubo_sdk_local.launch import launch
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.records import MachineRecord, read_machines, write_machine


def check_free(layout: Layout, slug: str, wanted: tuple[str, ...]) -> None:
    """Raise NotFound for a disk that is not there, Conflict for one that another machine than *slug* has."""
    if len(wanted) > 1:
        raise Conflict(f"{slug} can have one persistent disk at {machines.DISK}, not {len(wanted)}")
    for wish in wanted:
        disk = disks.get(layout, wish)
        holder = disks.holder(read_machines(layout, disk.place.cluster), wish)
        if holder is not None and holder.slug != slug:
            raise Conflict(f"disk {wish} is attached to {holder.instance}; detach it there first")


def attach(layout: Layout, record: MachineRecord, id: str) -> None:
    """Give the machine the disk, in its record first, then in the running machine."""
    check_free(layout, record.slug, tuple({*record.disks, id}))
    write_machine(layout.machine(record.owner, record.slug), evolve(record, disks=(id,)))
    _remount(layout, record, str(disks.data_directory(layout, id)))


def detach(layout: Layout, record: MachineRecord, id: str) -> None:
    """Take the disk from the machine, in the running machine first; what is open on it stays open there."""
    if id not in record.disks:
        return
    _remount(layout, record, "")
    write_machine(layout.machine(record.owner, record.slug), evolve(record, disks=()))


def _remount(layout: Layout, record: MachineRecord, source: str) -> None:
    directory = layout.machine(record.owner, record.slug)
    init = processes.recorded(str(machines.init_file(directory)))
    if init is None or machines.state(directory) is not VmState.RUNNING:
        return
    namespace = os.open(f"/proc/{processes.pid_of(init)}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if processes.is_alive(init):
            request = {"namespace": namespace, "source": source, "target": machines.DISK}
            launch("disk", request, what=f"mounting the disk of {record.instance}", keep=(namespace,))
    finally:
        os.close(namespace)
