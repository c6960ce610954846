"""What Compute Engine tells, as values of `clouds.cloud`, and what it is asked for.  Pure.

An id is ``<zone>/<number>``: GCE's names come back when a thing of the same name is made again, its numbers never do.
"""

from __future__ import annotations

import re
from typing import Any

from kubo_sdk.errors import NotFound
from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish, Volume, VolumeState
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.gce.firewalls import tag_of
from kubo_sdk_libcloud.clouds.packing import pack_poor, unpack_poor

_ID = re.compile(r"[a-z][a-z0-9-]*/[1-9][0-9]{0,19}")
_DEVICE = "kubo-"
_NAME = 63
_STATES = {
    "PENDING": MachineState.STARTING,
    "PROVISIONING": MachineState.STARTING,
    "STAGING": MachineState.STARTING,
    "REPAIRING": MachineState.STARTING,
    "RUNNING": MachineState.RUNNING,
    "PENDING_STOP": MachineState.STOPPING,
    "STOPPING": MachineState.STOPPING,
    "SUSPENDING": MachineState.STOPPING,
    "SUSPENDED": MachineState.STOPPED,
    "TERMINATED": MachineState.STOPPED,
}
_DISKS = {"CREATING": VolumeState.CREATING, "RESTORING": VolumeState.CREATING, "FAILED": VolumeState.FAILED}
_CORES, _STEP_MB, _LEAST_MB, _MOST_MB = 2, 256, 512, 8192


def split(known: str, kind: str) -> str:
    """The path of the ``instances`` or ``disks`` of that id; NotFound for what is no id."""
    if not _ID.fullmatch(known):
        raise NotFound(f"GCE: {known!r} is not there")
    zone, number = known.split("/")
    return f"/zones/{zone}/{kind}/{number}"


def id_of(told: Any) -> str:
    return f"{last(told['zone'])}/{told['id']}"


def last(address: str) -> str:
    """The name at the end of one of GCE's addresses."""
    return address.rsplit("/", 1)[-1]


def resource_name(name: str, key: str) -> str:
    """Unique by *key*: GCE makes no two of one name in a zone."""
    return f"{name[: _NAME - 1 - len(key)].rstrip('-')}-{key}"


def device(disk_id: str) -> str:
    """What a disk is called on its machine."""
    return f"{_DEVICE}{last(disk_id)}"


def machine(told: Any) -> Machine:
    interface: Any = next(iter(told.get("networkInterfaces") or ()), {})
    outside: Any = next(iter(interface.get("accessConfigs") or ()), {})
    disks = (each.get("deviceName", "") for each in told.get("disks") or () if not each.get("boot"))
    return Machine(
        id=id_of(told),
        state=_STATES.get(told["status"], MachineState.UNKNOWN),
        private_address=interface.get("networkIP", ""),
        public_address=outside.get("natIP", ""),
        volumes=tuple(
            sorted(f"{last(told['zone'])}/{name.removeprefix(_DEVICE)}" for name in disks if name.startswith(_DEVICE))
        ),
        tags=unpack_poor(told.get("labels") or {}),
        reason=str(told.get("statusMessage") or ""),
    )


def volume(told: Any, holder: str) -> Volume | None:
    """The disk; *holder*: the id of the machine that has it, or ''.  None when it is being deleted."""
    if told["status"] == "DELETING":
        return None
    ready = VolumeState.ATTACHED if told.get("users") else VolumeState.FREE
    return Volume(
        id=id_of(told),
        state=_DISKS.get(told["status"], ready),
        size_mb=int(told["sizeGb"]) * 1024,
        attached_to=holder,
        tags=unpack_poor(told.get("labels") or {}),
    )


def machine_type(config: GceConfig, size: VmSize) -> str:
    """What the group says, or a type made to measure, or the config's."""
    named = size.cloud_properties.get("machine_type")
    if named or not (size.cpus or size.memory_mb):
        return str(named or config.machine_type or "e2-standard-2")
    cpus = max(_CORES, size.cpus + size.cpus % _CORES, -(-size.memory_mb // _MOST_MB))
    cpus += cpus % _CORES
    memory = max(size.memory_mb, cpus * _LEAST_MB)
    return f"e2-custom-{cpus}-{-(-memory // _STEP_MB) * _STEP_MB}"


def instance(config: GceConfig, wish: MachineWish, zone: str) -> dict[str, Any]:
    """The body that asks for the machine.  It runs as no service account: nothing on it can speak to Google."""
    interface: dict[str, Any] = {"network": config.network}
    if config.subnetwork:
        interface = {"subnetwork": config.subnetwork}
    if config.public_addresses:
        interface["accessConfigs"] = [{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}]
    metadata = {"user-data": wish.user_data, "block-project-ssh-keys": "true"}
    return {
        "name": resource_name(wish.name, wish.key),
        "description": f"kubo_sdk cluster {wish.cluster}",
        "machineType": f"zones/{zone}/machineTypes/{machine_type(config, wish.size)}",
        "labels": pack_poor(wish.cluster, wish.tags),
        "tags": {"items": [tag_of(wish.cluster)]},
        "canIpForward": config.ip_forward,
        "networkInterfaces": [interface],
        "metadata": {"items": [{"key": key, "value": value} for key, value in metadata.items()]},
        "serviceAccounts": [],
        "disks": [
            {
                "boot": True,
                "autoDelete": True,
                "initializeParams": {
                    "sourceImage": config.image,
                    "diskSizeGb": str(config.root_gb),
                    "diskType": f"zones/{zone}/diskTypes/{config.disk_type}",
                },
            }
        ],
    }
