"""Cinder's volumes as persistent disks."""

from __future__ import annotations

from typing import Any

from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.cloud import Volume, VolumeWish
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.openstack.session import OpenStackSession
from kubo_sdk_libcloud.clouds.openstack.telling import volume
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of, pack

KEY = "kubo-key"
# Nova and Cinder keep at most 255 characters per value.
WIDTH = 255
_MB_PER_GB = 1024


class Volumes:
    """Found by their metadata."""

    def __init__(self, config: OpenStackConfig, session: OpenStackSession) -> None:
        self._config = config
        self._session = session

    def create(self, wish: VolumeWish) -> Volume:
        body: dict[str, Any] = {
            "name": f"{wish.name}-{wish.key[:8]}",
            "size": -(-wish.size_mb // _MB_PER_GB),
            "metadata": {**pack(wish.cluster, wish.tags, WIDTH), KEY: wish.key},
        }
        if self._config.volume_type:
            body["volume_type"] = self._config.volume_type
        if self._config.zones.get(wish.zone):
            body["availability_zone"] = self._config.zones[wish.zone]
        self._session.ask("volume", "POST", "/volumes", f"make volume {wish.name}", {"volume": body})
        first, *others = self._same(wish)
        for other in others:
            self.delete(str(other["id"]))
        made = volume(first)
        if made is None:
            raise NotFound(f"OpenStack: volume {wish.name} was deleted while it was made; try again")
        return made

    def of(self, cluster: ClusterId) -> tuple[Volume, ...]:
        told = (volume(each) for each in self._told(cluster))
        return tuple(each for each in told if each is not None)

    def find(self, volume_id: str) -> Volume | None:
        told = self._session.find("volume", f"/volumes/{volume_id}", f"look for volume {volume_id}")
        return volume(told["volume"]) if told else None

    def attach(self, machine_id: str, volume_id: str) -> None:
        body = {"volumeAttachment": {"volumeId": volume_id}}
        path = f"/servers/{machine_id}/os-volume_attachments"
        found = self.find(volume_id)
        if found is None:
            raise NotFound(f"OpenStack: volume {volume_id} is not there")
        if found.attached_to == machine_id:
            return
        if found.attached_to:
            raise Conflict(f"OpenStack: volume {volume_id} is attached to {found.attached_to}; detach it there first")
        self._session.ask("compute", "POST", path, f"attach volume {volume_id}", body)

    def detach(self, machine_id: str, volume_id: str) -> None:
        path = f"/servers/{machine_id}/os-volume_attachments/{volume_id}"
        self._session.remove("compute", path, f"detach volume {volume_id}")

    def delete(self, volume_id: str) -> None:
        found = self.find(volume_id)
        if found is not None and found.attached_to:
            raise Conflict(f"OpenStack: volume {volume_id} is attached to {found.attached_to}; detach it first")
        self._session.remove("volume", f"/volumes/{volume_id}", f"delete volume {volume_id}")

    def _told(self, cluster: ClusterId) -> list[Any]:
        told = self._session.pages("volume", "/volumes/detail", "volumes", f"list the volumes of {cluster}")
        return [each for each in told if (each.get("metadata") or {}).get(MARK) == mark_of(cluster)]

    def _same(self, wish: VolumeWish) -> list[Any]:
        """Cinder makes two volumes of two equal requests.  Whoever sees both keeps the older one, then by id."""
        same = [
            each
            for each in self._told(wish.cluster)
            if each["metadata"].get(KEY) == wish.key and each["status"] != "deleting"
        ]
        if not same:
            raise NotFound(f"OpenStack: volume {wish.name} was deleted while it was made; try again")
        return sorted(same, key=lambda each: (str(each.get("created_at")), str(each["id"])))
