"""The record of a machine to be: its address, its disks, its name.  Written before anything else of it exists."""

from __future__ import annotations

import secrets
from pathlib import Path

from kubo_sdk.errors import Conflict, HostError
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk_local import addresses, attachment, machines
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.records import MachineRecord, read_cluster, read_machine, read_machines, write_machine
from kubo_sdk_local.storage import locked, read_json, write_json


def ensure_record(layout: Layout, stemcell: Path, request: VmRequest) -> MachineRecord:
    """The machine's record: the one this token has already, or a new one.  The caller holds the machine's lock.

    Conflict when another machine fills the slot or holds a disk.
    """
    directory = layout.machine(request.cluster, request.instance.slug)
    there = read_machine(directory)
    if there is not None and there.doomed:
        machines.remove(layout, there)
    elif there is not None and there.token == request.token:
        return there
    elif there is not None:
        raise Conflict(
            f"{request.instance.id} of cluster {request.cluster} has another machine already; delete that one first"
        )
    with locked(layout.cluster_lock(request.cluster), f"cluster {request.cluster}"):
        attachment.check_free(layout, request.instance.slug, request.disks)
        record = _new_record(layout, stemcell, request)
        write_machine(directory, record)
    return record


def _new_record(layout: Layout, stemcell: Path, request: VmRequest) -> MachineRecord:
    return MachineRecord(
        director=request.cluster.director,
        cluster=request.cluster.name,
        instance=request.instance.id,
        slug=request.instance.slug,
        token=request.token,
        serial=secrets.token_hex(16),
        az=request.instance.az,
        address=_take_address(layout, request),
        stemcell=str(stemcell),
        cpus=request.size.cpus,
        memory_mb=request.size.memory_mb,
        disks=request.disks,
        trees=tuple((str(tree.source), str(tree.target)) for tree in request.trees),
        tags=request.tags,
    )


def _take_address(layout: Layout, request: VmRequest) -> str:
    """An address that is free now, written down for the next machine of the instance."""
    prepared = read_cluster(layout, request.cluster)
    if prepared is None:
        raise HostError(f"cluster {request.cluster} is not prepared; prepare it first")
    slug = request.instance.slug
    remembered_file = layout.cluster(request.cluster) / "addresses.json"
    remembered = read_json(remembered_file) or {}
    taken = {machine.address for machine in read_machines(layout, request.cluster)}
    address = addresses.choose(prepared.subnet, slug, taken, remembered)
    if remembered.get(slug) != address:
        write_json(remembered_file, {**remembered, slug: address})
    return address
