"""What Nova and Cinder tell, as values of `clouds.cloud`.  Pure."""

from __future__ import annotations

from typing import Any

from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, Volume, VolumeState
from kubo_sdk_libcloud.clouds.packing import unpack

_SERVER = {
    "ACTIVE": MachineState.RUNNING,
    "BUILD": MachineState.STARTING,
    "REBOOT": MachineState.STARTING,
    "HARD_REBOOT": MachineState.STARTING,
    "REBUILD": MachineState.STARTING,
    "SHUTOFF": MachineState.STOPPED,
    "SUSPENDED": MachineState.STOPPED,
    "PAUSED": MachineState.STOPPED,
    "ERROR": MachineState.FAILED,
    "DELETED": MachineState.GONE,
    "SOFT_DELETED": MachineState.GONE,
}
_TASKS = {
    "deleting": MachineState.GONE,
    "soft-deleting": MachineState.GONE,
    "powering-off": MachineState.STOPPING,
    "powering-on": MachineState.STARTING,
}
_VOLUME = {
    "creating": VolumeState.CREATING,
    "downloading": VolumeState.CREATING,
    "available": VolumeState.FREE,
    "reserved": VolumeState.ATTACHING,
    "attaching": VolumeState.ATTACHING,
    "in-use": VolumeState.ATTACHED,
    "detaching": VolumeState.DETACHING,
}


def machine(server: Any) -> Machine:
    """The machine that Nova's *server* is."""
    return Machine(
        id=str(server["id"]),
        state=state(server),
        private_address=_address(server, "fixed"),
        public_address=_address(server, "floating"),
        provider_id=f"openstack:///{server['id']}",
        volumes=tuple(
            sorted(
                str(each["id"])
                for each in server.get("os-extended-volumes:volumes_attached") or ()
                if not each.get("delete_on_termination")
            )
        ),
        tags=unpack(server.get("metadata") or {}),
        reason=str((server.get("fault") or {}).get("message") or ""),
    )


def state(server: Any) -> MachineState:
    """What is under way counts more than where the server stands."""
    task = str(server.get("OS-EXT-STS:task_state") or "")
    return _TASKS.get(task) or _SERVER.get(str(server.get("status")), MachineState.UNKNOWN)


def _address(server: Any, kind: str) -> str:
    addresses = server.get("addresses") or {}
    every = [each for network in sorted(addresses) for each in addresses[network]]
    return next(
        (
            str(each["addr"])
            for each in every
            if each.get("version") == 4 and each.get("OS-EXT-IPS:type", "fixed") == kind
        ),
        "",
    )


def volume(told: Any) -> Volume | None:
    """The volume that Cinder tells; None when it is being deleted."""
    if told["status"] == "deleting":
        return None
    attachments = told.get("attachments") or ()
    return Volume(
        id=str(told["id"]),
        state=_VOLUME.get(str(told["status"]), VolumeState.FAILED),
        size_mb=int(told["size"]) * 1024,
        attached_to=next((str(each["server_id"]) for each in attachments), ""),
        tags=unpack(told.get("metadata") or {}),
    )
