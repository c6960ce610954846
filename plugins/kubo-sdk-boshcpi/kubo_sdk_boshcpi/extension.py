"""The extension of ``kubo-cpi``: what BOSH's methods leave out, so that nothing of the port is lost on the way.

``info`` announces it under the key ``kubo``; the caller then puts a ``kubo`` object into the context of its calls.
Both ends of it are here: what is written and how it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from attrs import asdict

from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.cpi import CPI_CONTRACT, CpiInfo, Disk, DiskRequest, SharedTree, Vm, VmRequest, VmState
from kubo_sdk_boshcpi.caller import this_process

KEY = "kubo"
LIST_VMS, LIST_DISKS = "kubo_list_vms", "kubo_list_disks"
PREPARE, DISPOSE = "kubo_prepare", "kubo_dispose"


def write_info(info: CpiInfo) -> dict[str, Any]:
    """What ``info`` says of the CPI behind."""
    return asdict(info)


def read_info(content: Mapping[str, Any]) -> CpiInfo:
    """The reverse of `write_info`; what is missing cannot be done."""
    return CpiInfo(
        contract=int(content.get("contract", CPI_CONTRACT)),
        disks=content.get("disks") is True,
        zones=content.get("zones") is True,
        shares_trees=content.get("shares_trees") is True,
    )


def marker() -> dict[str, Any]:
    """The context of a call that is about no new machine or disk."""
    return {KEY: _caller()}


def _caller() -> dict[str, Any]:
    return {"contract": CPI_CONTRACT, "caller": this_process()}


def write_vm_request(request: VmRequest) -> dict[str, Any]:
    """The context of ``create_vm``."""
    more = {
        "size": {
            "cpus": request.size.cpus,
            "memory_mb": request.size.memory_mb,
            "cloud_properties": dict(request.size.cloud_properties),
        },
        "disks": list(request.disks),
        "trees": [[str(tree.source), str(tree.target)] for tree in request.trees],
        "tags": [list(pair) for pair in request.tags],
    }
    return {KEY: {**_slot(request), **more}}


def read_vm_request(content: Mapping[str, Any]) -> VmRequest:
    """The reverse of `write_vm_request`; KeyError, TypeError or ValueError when it is none."""
    size = content["size"]
    return VmRequest(
        cluster=read_cluster(content),
        instance=_instance(content),
        token=str(content["token"]),
        size=VmSize(
            cpus=int(size["cpus"]), memory_mb=int(size["memory_mb"]), cloud_properties=dict(size["cloud_properties"])
        ),
        disks=tuple(map(str, content["disks"])),
        trees=tuple(SharedTree(source=Path(at), target=PurePosixPath(to)) for at, to in content["trees"]),
        tags=tuple((str(name), str(value)) for name, value in content["tags"]),
    )


def write_disk_request(request: DiskRequest) -> dict[str, Any]:
    """The context of ``create_disk``; its size is an argument."""
    return {KEY: _slot(request)}


def read_disk_request(content: Mapping[str, Any], size_mb: int) -> DiskRequest:
    """The reverse of `write_disk_request`; errors as for `read_vm_request`."""
    return DiskRequest(
        cluster=read_cluster(content), instance=_instance(content), token=str(content["token"]), size_mb=size_mb
    )


def _slot(request: VmRequest | DiskRequest) -> dict[str, Any]:
    instance = request.instance
    return {
        **_caller(),
        "director": request.cluster.director,
        "cluster": request.cluster.name,
        "group": instance.group,
        "index": instance.index,
        "role": str(instance.role),
        "az": instance.az,
        "token": request.token,
    }


def read_cluster(content: Mapping[str, Any]) -> ClusterId:
    """Whose it is."""
    return ClusterId(director=str(content["director"]), name=str(content["cluster"]))


def _instance(content: Mapping[str, Any]) -> Instance:
    return Instance(
        group=str(content["group"]), index=int(content["index"]), role=Role(content["role"]), az=str(content["az"])
    )


def write_vm(vm: Vm, cid: str, disks: Mapping[str, str]) -> dict[str, Any]:
    """One row of ``kubo_list_vms``.  *disks* maps ids of the CPI behind to cids."""
    return {
        "cid": cid,
        "instance": vm.instance,
        "token": vm.token,
        "state": str(vm.state),
        "address": vm.address,
        "az": vm.az,
        "provider_id": vm.provider_id,
        "disks": [disks.get(disk, disk) for disk in vm.disks],
        "tags": [list(pair) for pair in vm.tags],
    }


def read_vm(row: Mapping[str, Any], cluster: ClusterId) -> Vm:
    """The reverse of `write_vm`; errors as for `read_vm_request`."""
    return Vm(
        id=row["cid"],
        cluster=cluster,
        instance=row["instance"],
        token=row["token"],
        state=VmState(row["state"]),
        address=row["address"],
        az=row["az"],
        provider_id=row["provider_id"],
        disks=tuple(row["disks"]),
        tags=tuple((name, value) for name, value in row["tags"]),
    )


def write_disk(disk: Disk, cid: str, attached_to: str | None) -> dict[str, Any]:
    """One row of ``kubo_list_disks``."""
    return {
        "cid": cid,
        "instance": disk.instance,
        "token": disk.token,
        "size_mb": disk.size_mb,
        "attached_to": attached_to,
    }


def read_disk(row: Mapping[str, Any], cluster: ClusterId) -> Disk:
    """The reverse of `write_disk`; errors as for `read_vm_request`."""
    return Disk(
        id=row["cid"],
        cluster=cluster,
        instance=row["instance"],
        token=row["token"],
        size_mb=row["size_mb"],
        attached_to=row["attached_to"],
    )
