"""The answers of Azure's Resource Manager and token service, in the shapes of their references, over one state."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from attrs import define, field

from .standin import Asked

SUBSCRIPTION, GROUP, LOCATION = "0b1f6471-1bf0-4dda-aec3-cb9272f09590", "kubo", "westeurope"
BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
MACHINES, DISKS = "Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"
INTERFACES, GROUPS = "Microsoft.Network/networkInterfaces", "Microsoft.Network/networkSecurityGroups"
SUBNET = f"{BASE}/Microsoft.Network/virtualNetworks/net/subnets/machines"
SIZES = (("Standard_M8", 8, 16384), ("Standard_D4s_v5", 4, 16384), ("Standard_B2s", 2, 4096), ("Standard_F4s", 4, 8192))


def refusal(status: int, code: str, message: str = "no") -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": message}}


@define
class Azure:
    """What the resource group holds, by path.  ``page``: how many items a list answers at once."""

    kept: dict[str, dict[str, Any]] = field(factory=lambda: {SUBNET: {"id": SUBNET, "name": "machines"}})
    page: int = 2
    made: int = 0

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for path, each in self.kept.items() if path.startswith(f"{BASE}/{kind}/")]

    def reply(self, asked: Asked, url: str) -> tuple[Any, ...]:
        if asked.path.endswith("/oauth2/token"):
            return 200, {"access_token": "a-token", "expires_on": str(int(time.time()) + 3600)}
        if asked.path.endswith(f"/locations/{LOCATION}/vmSizes"):
            told = [{"name": name, "numberOfCores": cpus, "memoryInMB": memory} for name, cpus, memory in SIZES]
            return 200, {"value": told}
        action = re.fullmatch(rf"({BASE}/{MACHINES}/[^/]+)/(start|powerOff)", asked.path)
        if action:
            return self._act(self.kept.get(action[1]), action[2])
        if asked.method == "GET" and asked.path in [f"{BASE}/{kind}" for kind in (MACHINES, DISKS, INTERFACES)]:
            return self._list(asked, url)
        return {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}[asked.method](asked)

    def _list(self, asked: Asked, url: str) -> tuple[Any, ...]:
        found = [_shown(each) for each in self.of(asked.path.removeprefix(f"{BASE}/"))]
        start = int(asked.query.get("$skiptoken", 0))
        following = start + self.page
        more = f"{url}{asked.path}?api-version={asked.query['api-version']}&$skiptoken={following}"
        return 200, {"value": found[start:following], **({"nextLink": more} if following < len(found) else {})}

    def _get(self, asked: Asked) -> tuple[Any, ...]:
        held = self.kept.get(asked.path)
        if held is None:
            return refusal(404, "ResourceNotFound", f"The Resource '{asked.path}' was not found.")
        return 200, _shown(held, view="$expand" in asked.query)

    def _put(self, asked: Asked) -> tuple[Any, ...]:
        held = self.kept.get(asked.path)
        machine = f"/{MACHINES}/" in asked.path
        if held and machine and held["asked"] != asked.body:
            return refusal(409, "PropertyChangeNotAllowed", "Changing property 'osProfile.customData' is not allowed.")
        if held and machine:
            return 200, _shown(held)
        self.made += 1
        made = {**asked.body, "id": asked.path, "name": asked.path.rsplit("/", 1)[-1], "asked": asked.body}
        made["properties"] = {**asked.body["properties"], "provisioningState": "Succeeded"}
        if f"/{DISKS}/" in asked.path:
            made["properties"]["uniqueId"] = held["properties"]["uniqueId"] if held else str(uuid.uuid4())
        if machine:
            self._boot(made)
        self.kept[asked.path] = made
        return 201, _shown(made)

    def _boot(self, made: dict[str, Any]) -> None:
        properties = made["properties"] = {**made["properties"], "vmId": str(uuid.uuid4()).upper()}
        (wished,) = properties["networkProfile"]["networkInterfaceConfigurations"]
        path = f"{BASE}/{INTERFACES}/{wished['name']}"
        address = {
            "privateIPAddress": f"10.9.0.{self.made}",
            **wished["properties"]["ipConfigurations"][0]["properties"],
        }
        interface = {**wished["properties"], "ipConfigurations": [{"name": "primary", "properties": address}]}
        self.kept[path] = {"id": path, "name": wished["name"], "properties": interface}
        # The case of an id is not kept.
        properties["networkProfile"] = {"networkInterfaces": [{"id": path.upper()}]}
        made["power"] = "running"

    def _patch(self, asked: Asked) -> tuple[Any, ...]:
        held = self.kept.get(asked.path)
        if held is None:
            return refusal(404, "ResourceNotFound")
        wished = asked.body["properties"]["storageProfile"]["dataDisks"]
        taken = [each["managedDisk"]["id"] for each in wished]
        for disk in self.of(DISKS):
            if disk["id"] in taken and disk.get("managedBy", asked.path) != asked.path:
                return refusal(409, "AttachDiskWhileBeingDetached")
            if disk["id"] in taken:
                disk["managedBy"] = asked.path
            elif disk.get("managedBy") == asked.path:
                del disk["managedBy"]
        held["properties"]["storageProfile"] = {**held["properties"]["storageProfile"], "dataDisks": wished}
        return 200, _shown(held)

    def _delete(self, asked: Asked) -> tuple[Any, ...]:
        held = self.kept.get(asked.path)
        if held is None:
            return 204, None
        users = [each for each in self.of(INTERFACES) if each["properties"]["networkSecurityGroup"]["id"] == asked.path]
        if users:
            return refusal(400, "InUseNetworkSecurityGroupCannotBeDeleted")
        if held.get("managedBy"):
            return refusal(409, "OperationNotAllowed", "Disk is attached to a VM.")
        del self.kept[asked.path]
        if f"/{MACHINES}/" in asked.path:
            self.kept = {path: each for path, each in self.kept.items() if not path.endswith(f"/{held['name']}-nic")}
            for disk in self.of(DISKS):
                if disk.get("managedBy") == asked.path:
                    del disk["managedBy"]
        return 202, None

    def _act(self, held: dict[str, Any] | None, action: str) -> tuple[Any, ...]:
        if held is None:
            return refusal(404, "ResourceNotFound")
        held["power"] = {"start": "running", "powerOff": "stopped"}[action]
        return 202, None


def _shown(held: dict[str, Any], *, view: bool = False) -> dict[str, Any]:
    """As Azure tells it: no custom data, and the power state only to those who ask for it."""
    told = {name: value for name, value in held.items() if name not in ("asked", "power")}
    if view and "power" in held:
        statuses = [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{held['power']}"}]
        told["properties"] = {**told["properties"], "instanceView": {"statuses": statuses}}
    return told
