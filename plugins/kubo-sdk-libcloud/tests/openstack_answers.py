"""The answers of Keystone, Nova, Neutron, Cinder and Glance, in the shapes of their API references, over one state."""

from __future__ import annotations

import re
import uuid
from typing import Any

from attrs import define, field

from .standin import Asked

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
NETWORK = "d32019d3-bc6e-4319-9c1d-6722fc136a22"
_SERVICES = {"compute": "/nova", "network": "", "volumev3": "/cinder", "image": ""}
_FLAVORS = [
    {"id": "1", "name": "m1.tiny", "ram": 512, "vcpus": 1, "disk": 1},
    {"id": "2", "name": "m1.small", "ram": 2048, "vcpus": 1, "disk": 20},
    {"id": "3", "name": "m1.medium", "ram": 4096, "vcpus": 2, "disk": 40},
]


@define
class OpenStack:
    """What the cloud holds.  ``twins``: the next server is made twice, as when two processes ask at once."""

    servers: dict[str, Any] = field(factory=dict)
    volumes: dict[str, Any] = field(factory=dict)
    groups: dict[str, Any] = field(factory=dict)
    twins: int = 0

    def reply(self, asked: Asked, url: str) -> tuple[Any, ...]:
        words = [asked.method, *asked.path.strip("/").split("/")]
        match words:
            case ["POST", "v3", "auth", "tokens"]:
                return 201, {"token": _token(url)}, {"X-Subject-Token": "a-token"}
            case ["GET", "v3", "auth", "tokens"]:
                return 200, {"token": _token(url)}, {"X-Subject-Token": "a-token"}
            case ["GET", "v2", "images", known]:
                return (200, {"id": known}) if known == IMAGE else (404, None)
            case ["GET", "v2.0", "networks", known]:
                return (200, {"network": {"id": known}}) if known == NETWORK else (404, None)
            case [_, "v2.0", *_]:
                return self._neutron(asked, words[2:])
            case [_, "nova", *rest]:
                return self._nova(asked, rest)
            case [_, "cinder", *rest]:
                return self._cinder(asked, rest)
        return 404, {"itemNotFound": {"message": "no such path", "code": 404}}

    def _nova(self, asked: Asked, rest: list[str]) -> tuple[Any, ...]:  # noqa: C901 - one line per path
        match [asked.method, *rest]:
            case ["GET", "flavors", "detail"]:
                return 200, {"flavors": _FLAVORS}
            case ["GET", "servers", "detail"]:
                return 200, {"servers": list(self.servers.values())}
            case ["POST", "servers"]:
                made = [self._server(asked.body["server"]) for _ in range(1 + self.twins)]
                self.twins = 0
                return 202, {"server": {"id": made[-1]}}
            case [_, "servers", known, *_] if known not in self.servers:
                return 404, {"itemNotFound": {"message": f"Instance {known} could not be found.", "code": 404}}
            case ["GET", "servers", known]:
                return 200, {"server": self.servers[known]}
            case ["DELETE", "servers", known]:
                del self.servers[known]
                return 204, None
            case ["POST", "servers", known, "action"]:
                return self._act(self.servers[known], next(iter(asked.body)))
            case ["POST", "servers", known, "os-volume_attachments"]:
                volume = self.volumes[asked.body["volumeAttachment"]["volumeId"]]
                volume |= {"status": "in-use", "attachments": [{"server_id": known}]}
                attached = {"id": volume["id"], "delete_on_termination": False}
                self.servers[known]["os-extended-volumes:volumes_attached"].append(attached)
                return 200, {"volumeAttachment": {"volumeId": volume["id"]}}
            case ["DELETE", "servers", known, "os-volume_attachments", volume_id]:
                if not self.volumes.get(volume_id, {}).get("attachments"):
                    return 404, {"itemNotFound": {"message": "Instance has no such volume", "code": 404}}
                self.volumes[volume_id] |= {"status": "available", "attachments": []}
                self.servers[known]["os-extended-volumes:volumes_attached"] = []
                return 202, None
        return 404, None

    def _server(self, wish: Any) -> str:
        known = str(uuid.uuid4())
        address = {"addr": f"10.0.0.{len(self.servers) + 5}", "version": 4, "OS-EXT-IPS:type": "fixed"}
        self.servers[known] = {
            "id": known,
            "status": "ACTIVE",
            "created": f"2026-01-01T00:00:{len(self.servers):02}Z",
            "metadata": wish["metadata"],
            "addresses": {"kubo": [address]},
            "os-extended-volumes:volumes_attached": [{"id": "a-root", "delete_on_termination": True}],
            "OS-EXT-STS:task_state": None,
        }
        return known

    def _act(self, server: Any, action: str) -> tuple[Any, ...]:
        wanted = {"os-start": "ACTIVE", "os-stop": "SHUTOFF"}[action]
        if server["status"] == wanted:
            return 409, {"conflictingRequest": {"message": f"Cannot '{action}' in this vm_state", "code": 409}}
        server["status"] = wanted
        return 202, None

    def _cinder(self, asked: Asked, rest: list[str]) -> tuple[Any, ...]:
        match [asked.method, *rest]:
            case ["GET", "volumes", "detail"]:
                return 200, {"volumes": list(self.volumes.values())}
            case ["POST", "volumes"]:
                known = str(uuid.uuid4())
                wish = asked.body["volume"]
                self.volumes[known] = {**wish, "id": known, "status": "available", "attachments": []}
                return 202, {"volume": self.volumes[known]}
            case [_, "volumes", known] if known not in self.volumes:
                return 404, {"itemNotFound": {"message": f"Volume {known} could not be found.", "code": 404}}
            case ["GET", "volumes", known]:
                return 200, {"volume": self.volumes[known]}
            case ["DELETE", "volumes", known]:
                del self.volumes[known]
                return 202, None
        return 404, None

    def _neutron(self, asked: Asked, rest: list[str]) -> tuple[Any, ...]:
        match [asked.method, *rest]:
            case ["GET", "security-groups"]:
                named = [each for each in self.groups.values() if each["name"] == asked.query["name"]]
                return 200, {"security_groups": named}
            case ["POST", "security-groups"]:
                known = str(uuid.uuid4())
                egress = {"id": str(uuid.uuid4()), "direction": "egress"}
                self.groups[known] = {**asked.body["security_group"], "id": known, "security_group_rules": [egress]}
                return 201, {"security_group": self.groups[known]}
            case ["POST", "security-group-rules"]:
                rule = {**asked.body["security_group_rule"], "id": str(uuid.uuid4())}
                self.groups[rule["security_group_id"]]["security_group_rules"].append(rule)
                return 201, {"security_group_rule": rule}
            case ["DELETE", "security-group-rules", known]:
                for group in self.groups.values():
                    group["security_group_rules"] = [r for r in group["security_group_rules"] if r["id"] != known]
                return 204, None
            case ["DELETE", "security-groups", known]:
                del self.groups[known]
                return 204, None
        return 404, None


def _token(url: str) -> Any:
    catalog = [
        {
            "type": kind,
            # Some clouds call Nova so; libcloud asks for the name "nova".
            "name": f"{re.sub('v3', '', kind)}-of-this-cloud",
            "endpoints": [{"interface": "public", "region": "here", "region_id": "here", "url": f"{url}{path}"}],
        }
        for kind, path in _SERVICES.items()
    ]
    user = {"id": "u", "name": "kubo", "domain": {"id": "default", "name": "Default"}}
    return {"expires_at": "2126-01-01T00:00:00.000000Z", "catalog": catalog, "user": user, "roles": []}
