"""GCE's disks as persistent disks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.cloud import Volume, VolumeWish
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.gce.session import GceSession
from kubo_sdk_libcloud.clouds.gce.telling import device, id_of, last, resource_name, split, volume
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of, pack_poor


class Disks:
    """Found by their labels."""

    def __init__(self, config: GceConfig, session: GceSession) -> None:
        self._config = config
        self._session = session

    def create(self, wish: VolumeWish, zone: str) -> Volume:
        name = resource_name(wish.name, wish.key)
        body = {
            "name": name,
            "description": f"kubo_sdk cluster {wish.cluster}",
            "sizeGb": str(max(10, -(-wish.size_mb // 1024))),
            "type": f"zones/{zone}/diskTypes/{self._config.disk_type}",
            "labels": pack_poor(wish.cluster, wish.tags),
        }
        # It is there: made by the request before this one
        with suppress(Conflict):
            self._session.do("POST", f"/zones/{zone}/disks", f"make disk {name}", body)
        found = self._session.find(f"/zones/{zone}/disks/{name}", f"look for disk {name}")
        made = self._told(found) if found else None
        if made is None:
            raise NotFound(f"GCE: disk {name} was deleted while it was made; try again")
        return made

    def of(self, cluster: ClusterId) -> tuple[Volume, ...]:
        what = f"list the disks of {cluster}"
        told = self._session.pages("/aggregated/disks", what, f"labels.{MARK}={mark_of(cluster)}")
        return tuple(each for each in map(self._told, told) if each is not None)

    def find(self, disk_id: str) -> Volume | None:
        try:
            path = split(disk_id, "disks")
        except NotFound:
            return None
        found = self._session.find(path, f"look for disk {disk_id}")
        return self._told(found) if found else None

    def attach(self, machine_id: str, disk_id: str) -> None:
        disk = self._session.find(split(disk_id, "disks"), f"look for disk {disk_id}")
        found = self._told(disk) if disk else None
        if found is None:
            raise NotFound(f"GCE: disk {disk_id} is not there")
        if found.attached_to == machine_id:
            return
        if found.attached_to:
            raise Conflict(f"GCE: disk {disk_id} is attached to {found.attached_to}; detach it there first")
        body = {"source": disk["selfLink"], "deviceName": device(disk_id), "autoDelete": False}
        self._session.do("POST", f"{split(machine_id, 'instances')}/attachDisk", f"attach disk {disk_id}", body)

    def detach(self, machine_id: str, disk_id: str) -> None:
        found = self.find(disk_id)
        if found is None or found.attached_to != machine_id:
            return
        path = f"{split(machine_id, 'instances')}/detachDisk"
        self._session.do("POST", path, f"detach disk {disk_id}", deviceName=device(disk_id))

    def delete(self, disk_id: str) -> None:
        found = self.find(disk_id)
        if found is None:
            return
        if found.attached_to:
            raise Conflict(f"GCE: disk {disk_id} is attached to {found.attached_to}; detach it first")
        try:
            self._session.do("DELETE", split(disk_id, "disks"), f"delete disk {disk_id}")
        except NotFound:
            return

    def _told(self, disk: Any) -> Volume | None:
        """A disk names the machines that have it; their ids are asked for."""
        user = next(iter(disk.get("users") or ()), "")
        holder = ""
        if user:
            path = f"/zones/{last(disk['zone'])}/instances/{last(user)}"
            instance = self._session.find(path, f"look for machine {last(user)}")
            holder = id_of(instance) if instance else last(user)
        return volume(disk, holder)
