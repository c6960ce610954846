"""What vCenter tells of a virtual machine, and the clone it is asked for.  Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from pyVmomi import vim

from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish

TAGS = "kubo.tags"
PROPERTIES = (
    "config.extraConfig",
    "config.instanceUuid",
    "config.template",
    "guest.ipAddress",
    "guest.net",
    "runtime.powerState",
)
_NAME = 80
_STATES = {
    "poweredOn": MachineState.RUNNING,
    "poweredOff": MachineState.STOPPED,
    "suspended": MachineState.STOPPED,
}


def resource_name(name: str, key: str) -> str:
    """Unique by *key*: vCenter makes no two of one name in a folder."""
    return f"{name[: _NAME - 1 - len(key)].rstrip('-')}-{key}"


def machine(told: Mapping[str, Any]) -> Machine | None:
    """The machine with those properties; None for a template, or one that is still being cloned."""
    uuid = told.get("config.instanceUuid")
    if not uuid or told.get("config.template"):
        return None
    state = _STATES.get(str(told.get("runtime.powerState")), MachineState.UNKNOWN)
    running = state is MachineState.RUNNING
    return Machine(
        id=str(uuid),
        state=state,
        private_address=_address(told) if running else "",
        provider_id=f"vsphere://{uuid}",
        tags=_tags(told.get("config.extraConfig") or ()),
    )


def _address(told: Mapping[str, Any]) -> str:
    """The first IPv4 address of a real interface: the guest tells those of its bridges and tunnels as well."""
    real = [each for each in told.get("guest.net") or () if each.deviceConfigId > 0]
    addresses = [address for each in real for address in each.ipAddress or ()] or [told.get("guest.ipAddress")]
    return next((each for each in addresses if each and ip_address(each).version == 4), "")


def _tags(options: Iterable[Any]) -> dict[str, str]:
    kept = next((str(each.value) for each in options if each.key == TAGS), "{}")
    try:
        read = json.loads(kept)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def clone(wish: MachineWish, name: str, pool: Any, datastore: Any, devices: list[Any]) -> Any:
    """The clone's specification.  cloud-init reads its data from ``guestinfo``."""
    seed = {"instance-id": name, "local-hostname": wish.name}
    options = {
        "guestinfo.metadata": _encoded(json.dumps(seed)),
        "guestinfo.metadata.encoding": "base64",
        "guestinfo.userdata": _encoded(wish.user_data),
        "guestinfo.userdata.encoding": "base64",
        TAGS: json.dumps(dict(wish.tags), sort_keys=True),
        # The disks' ids become known to the guest.
        "disk.enableUUID": "TRUE",
    }
    config = vim.vm.ConfigSpec(
        annotation=f"kubo_sdk cluster {wish.cluster}; its tags are in {TAGS}",
        deviceChange=devices,
        extraConfig=[vim.option.OptionValue(key=key, value=value) for key, value in options.items()],
    )
    if wish.size.cpus:
        config.numCPUs = wish.size.cpus
    if wish.size.memory_mb:
        config.memoryMB = wish.size.memory_mb
    place = vim.vm.RelocateSpec(pool=pool, datastore=datastore)
    return vim.vm.CloneSpec(location=place, config=config, powerOn=False, template=False)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def moved(device: Any, network: Any) -> Any:
    """The change that puts the interface *device* of the template into *network*."""
    if isinstance(network, vim.dvs.DistributedVirtualPortgroup):
        switch: Any = network.config.distributedVirtualSwitch
        port = vim.dvs.PortConnection(portgroupKey=network.key, switchUuid=switch.uuid)
        device.backing = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(port=port)
    else:
        device.backing = vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(network=network, deviceName=network.name)
    device.connectable = vim.vm.device.VirtualDevice.ConnectInfo(
        startConnected=True, connected=True, allowGuestControl=True
    )
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)
