"""What the Resource Manager tells, as values of `clouds.cloud`, and the machine it is asked for.  Pure.

An id is ``<name>/<GUID>``: Azure's own ids are paths, which come back when a thing of the same name is made again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from kubo_sdk.errors import NotFound
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish, Volume, VolumeState
from kubo_sdk_libcloud.clouds.packing import pack, unpack

ADMIN = "azureadmin"
# A tag holds at most 256 characters.
WIDTH = 256
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}/[0-9a-f-]{36}")
_POWER = {
    "starting": MachineState.STARTING,
    "running": MachineState.RUNNING,
    "stopping": MachineState.STOPPING,
    "deallocating": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "deallocated": MachineState.STOPPED,
}
_NAME = 63


def name_in(known: str) -> str:
    """The resource name of an id; NotFound for what is no id."""
    if not _ID.fullmatch(known):
        raise NotFound(f"Azure: {known!r} is not there")
    return known.split("/", maxsplit=1)[0]


def resource_name(name: str, key: str) -> str:
    """Unique by *key*: Azure makes no two of one name in a resource group."""
    return f"{name[: _NAME - 1 - len(key)].rstrip('-')}-{key}"


def machine_id(told: Any) -> str:
    return f"{told['name']}/{told['properties']['vmId'].lower()}"


def machine(told: Any, interfaces: Mapping[str, Any], disks: Mapping[str, str]) -> Machine:
    """*told* with its instanceView; *interfaces* and *disks* (their ids) by lower-case resource id."""
    properties = told["properties"]
    profile = properties.get("networkProfile") or {}
    used = (each["id"].lower() for each in profile.get("networkInterfaces") or ())
    attached = (each["managedDisk"]["id"].lower() for each in properties["storageProfile"].get("dataDisks") or ())
    return Machine(
        id=machine_id(told),
        state=_state(properties),
        private_address=next((_address(interfaces[each]) for each in used if each in interfaces), ""),
        volumes=tuple(sorted(disks[each] for each in attached if each in disks)),
        tags=unpack(told.get("tags") or {}),
        reason=_reason(properties),
    )


def _state(properties: Any) -> MachineState:
    stage = properties.get("provisioningState", "")
    if stage == "Deleting":
        return MachineState.GONE
    codes = (each["code"].split("/") for each in _statuses(properties))
    power = next((_POWER.get(code[1]) for code in codes if code[0] == "PowerState"), None)
    if stage == "Failed" and power is None:
        return MachineState.FAILED
    if stage == "Creating" or power is None:
        return MachineState.STARTING
    return power


def _statuses(properties: Any) -> Any:
    return (properties.get("instanceView") or {}).get("statuses") or ()


def _reason(properties: Any) -> str:
    failed = (each for each in _statuses(properties) if each["code"].startswith("ProvisioningState/failed"))
    return next((f"[{each['code'].split('/')[-1]}] {each.get('message', '')}" for each in failed), "")


def _address(interface: Any) -> str:
    found = interface["properties"].get("ipConfigurations") or ()
    return next((str(each["properties"].get("privateIPAddress") or "") for each in found), "")


def disk_id(told: Any) -> str:
    return f"{told['name']}/{told['properties']['uniqueId'].lower()}"


def volume(told: Any, holder: str) -> Volume:
    """The disk; *holder*: the id of the machine that has it, or ''."""
    properties = told["properties"]
    state = VolumeState.ATTACHED if told.get("managedBy") else VolumeState.FREE
    if properties.get("provisioningState") == "Failed":
        state = VolumeState.FAILED
    elif properties.get("provisioningState") in ("Creating", "Updating") and not told.get("managedBy"):
        state = VolumeState.CREATING
    return Volume(
        id=disk_id(told),
        state=state,
        size_mb=int(properties["diskSizeGB"]) * 1024,
        attached_to=holder,
        tags=unpack(told.get("tags") or {}),
    )


def virtual_machine(config: AzureConfig, wish: MachineWish, size: str, *, subnet: str, group: str, members: str) -> Any:
    """The body that asks for the machine.  Its interface and root disk are made, and deleted, together with it."""
    name = resource_name(wish.name, wish.key)
    address = {"subnet": {"id": subnet}, "primary": True, "applicationSecurityGroups": [{"id": members}]}
    interface = {
        "primary": True,
        "deleteOption": "Delete",
        "enableIPForwarding": config.ip_forward,
        "networkSecurityGroup": {"id": group},
        "ipConfigurations": [{"name": "primary", "properties": address}],
    }
    body: dict[str, Any] = {
        "location": config.location,
        "tags": pack(wish.cluster, wish.tags, WIDTH),
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {"imageReference": _image(config.image), "osDisk": _root(config)},
            "osProfile": {
                "computerName": name,
                "adminUsername": ADMIN,
                "customData": base64.b64encode(wish.user_data.encode()).decode("ascii"),
                "linuxConfiguration": _login(wish.login_key),
            },
            "networkProfile": {
                "networkApiVersion": "2020-11-01",
                "networkInterfaceConfigurations": [{"name": f"{name}-nic", "properties": interface}],
            },
        },
    }
    if config.zones.get(wish.zone):
        body["zones"] = [config.zones[wish.zone]]
    return body


def _login(key: str) -> dict[str, Any]:
    """Azure insists on a way to log in; it is the one of the user data."""
    path = f"/home/{ADMIN}/.ssh/authorized_keys"
    return {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": path, "keyData": key}]}}


def _image(image: str) -> dict[str, str]:
    if image.startswith("/"):
        return {"id": image}
    return dict(zip(("publisher", "offer", "sku", "version"), image.split(":"), strict=True))


def _root(config: AzureConfig) -> dict[str, Any]:
    return {
        "createOption": "FromImage",
        "deleteOption": "Delete",
        "diskSizeGB": config.root_gb,
        "managedDisk": {"storageAccountType": config.disk_type},
    }
