"""Nova's servers as machines."""

from __future__ import annotations

import base64
from typing import Any

from kubo_sdk.errors import Conflict, NotFound, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.openstack.session import OpenStackSession
from kubo_sdk_libcloud.clouds.openstack.telling import machine, state
from kubo_sdk_libcloud.clouds.openstack.volumes import KEY, WIDTH
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of, pack
from kubo_sdk_libcloud.clouds.sizing import MachineType, smallest


class Servers:
    """Found by their metadata."""

    def __init__(self, config: OpenStackConfig, session: OpenStackSession) -> None:
        self._config = config
        self._session = session

    def create(self, wish: MachineWish, group: str) -> Machine:
        what = f"make machine {wish.name}"
        body = {"server": self._body(wish, group)}
        try:
            self._session.ask("compute", "POST", "/servers", what, body)
        except Conflict as error:
            if "quota" in str(error).lower():
                raise QuotaExceeded(str(error)) from None
            raise
        first, *others = self._same(wish)
        for other in others:
            self.delete(str(other["id"]))
        return machine(first)

    def of(self, cluster: ClusterId) -> tuple[Machine, ...]:
        told = (machine(each) for each in self._told(cluster))
        return tuple(each for each in told if each.state is not MachineState.GONE)

    def find(self, machine_id: str) -> Machine | None:
        told = self._session.find("compute", f"/servers/{machine_id}", f"look for machine {machine_id}")
        return machine(told["server"]) if told else None

    def delete(self, machine_id: str) -> None:
        self._session.remove("compute", f"/servers/{machine_id}", f"delete machine {machine_id}")

    def act(self, machine_id: str, action: str, done: MachineState) -> None:
        """Start or stop; being *done* already is no conflict."""
        path = f"/servers/{machine_id}/action"
        try:
            self._session.ask("compute", "POST", path, f"{action} machine {machine_id}", {action: None})
        except Conflict:
            found = self.find(machine_id)
            if found is None or found.state is not done:
                raise

    def _body(self, wish: MachineWish, group: str) -> dict[str, Any]:
        config = self._config
        body: dict[str, Any] = {
            "name": f"{wish.name}-{wish.key[:8]}",
            "flavorRef": self._flavor(wish.size),
            "networks": [{"uuid": str(wish.size.cloud_properties.get("network", config.network))}],
            "security_groups": [{"name": group}],
            "metadata": {**pack(wish.cluster, wish.tags, WIDTH), KEY: wish.key},
            "user_data": base64.b64encode(wish.user_data.encode()).decode(),
            # The user data comes from the metadata service or, where there is none, from a drive: both are there.
            "config_drive": True,
        }
        if config.zones.get(wish.zone):
            body["availability_zone"] = config.zones[wish.zone]
        if config.root_gb:
            body["block_device_mapping_v2"] = [_root(config)]
        else:
            body["imageRef"] = config.image
        return body

    def _flavor(self, size: VmSize) -> str:
        named = str(size.cloud_properties.get("flavor", ""))
        if not named and not (size.cpus or size.memory_mb):
            named = self._config.flavor
        types = self._types()
        if not named:
            return smallest((each for each in types if self._config.root_gb or each.disk_mb), size, "OpenStack")
        for each in types:
            if named in (each.id, each.name):
                return each.id
        raise NotFound(f"OpenStack: there is no flavor {named!r}; `openstack flavor list` tells them")

    def _types(self) -> list[MachineType]:
        told = self._session.pages("compute", "/flavors/detail", "flavors", "list the flavors")
        return [
            MachineType(
                memory_mb=int(each["ram"]),
                cpus=int(each["vcpus"]),
                disk_mb=int(each.get("disk") or 0) * 1024,
                name=str(each["name"]),
                id=str(each["id"]),
            )
            for each in told
        ]

    def _told(self, cluster: ClusterId) -> list[Any]:
        told = self._session.pages("compute", "/servers/detail", "servers", f"list the machines of {cluster}")
        return [each for each in told if (each.get("metadata") or {}).get(MARK) == mark_of(cluster)]

    def _same(self, wish: MachineWish) -> list[Any]:
        """Nova makes two servers of two equal requests.  Whoever sees both keeps the older one, then by id."""
        same = [
            each
            for each in self._told(wish.cluster)
            if each["metadata"].get(KEY) == wish.key and state(each) is not MachineState.GONE
        ]
        if not same:
            raise NotFound(f"OpenStack: machine {wish.name} was deleted while it was made; try again")
        return sorted(same, key=lambda each: (str(each.get("created")), str(each["id"])))


def _root(config: OpenStackConfig) -> dict[str, Any]:
    return {
        "boot_index": 0,
        "uuid": config.image,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": config.root_gb,
        "delete_on_termination": True,
    }
