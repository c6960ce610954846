"""DiskMethods: the methods of a BOSH CPI about persistent disks, over a CPI of kubo_sdk."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from attrs import evolve, frozen

from kubo_sdk.disk_mounting import MOUNT_POINT
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Disk, DiskCpi, DiskRequest
from kubo_sdk_boshcpi import extension
from kubo_sdk_boshcpi.faults import Unsupported, VmNotFound
from kubo_sdk_boshcpi.server import identity, sharing
from kubo_sdk_boshcpi.server.settings import Settings
from kubo_sdk_boshcpi.server.vms import VmMethods


@frozen
class DiskMethods:
    """Persistent disks."""

    settings: Settings
    vms: VmMethods

    def create_disk(self, size_mb: int, cloud_properties: Any, vm_cid: str | None) -> str:
        request = self._request(int(size_mb), cloud_properties or {}, vm_cid)
        cpi = self._connect(request.cluster)
        shared = sharing.using(self.settings.own_state, request.cluster, cpi)
        with shared if self.vms.extended is None else nullcontext():
            return identity.cid(request.cluster, cpi.create_disk(request).id)

    def _request(self, size_mb: int, cloud_properties: Mapping[str, Any], vm_cid: str | None) -> DiskRequest:
        """A disk is of the cluster of the machine it is for, or of the one its cloud properties name."""
        if self.vms.extended is not None:
            return extension.read_disk_request(self.vms.extended, size_mb)
        token = str(uuid.uuid4())
        place = self.settings.defaults.said_by(cloud_properties)
        if vm_cid:
            _, vm = self.vms.get(vm_cid)
            group = vm.instance.partition("/")[0]
            place = evolve(place, director=vm.cluster.director, cluster=vm.cluster.name, group=group, az=vm.az)
        cluster = ClusterId(director=place.director, name=place.cluster)
        return DiskRequest(cluster=cluster, instance=identity.slot(place, token), token=token, size_mb=size_mb)

    def delete_disk(self, disk_cid: str) -> None:
        """Deleting what is absent succeeds."""
        found = identity.parse_cid(disk_cid)
        if found is None:
            return
        cluster, disk_id = found
        cpi = self._connect(cluster)
        cpi.delete_disk(disk_id)
        if self.vms.extended is None:
            sharing.dispose_if_empty(self.settings.own_state, cluster, cpi)

    def has_disk(self, disk_cid: str) -> bool:
        return self._find(disk_cid) is not None

    def attach_disk(self, vm_cid: str, disk_cid: str) -> str | None:
        """The hint is where the disk is mounted: a CPI of kubo_sdk mounts it itself."""
        cpi, vm = self.vms.get(vm_cid)
        disk = self._get(disk_cid)
        cpi.attach_disk(vm.id, disk.id)
        return None if self.vms.version == 1 else MOUNT_POINT

    def detach_disk(self, vm_cid: str, disk_cid: str) -> None:
        found, disk = self.vms.find(vm_cid), self._find(disk_cid)
        if self.vms.extended is None and found is None:
            raise VmNotFound(f"there is no machine {vm_cid}")
        if self.vms.extended is None and disk is None:
            raise NotFound(f"there is no disk {disk_cid}")
        if found is not None and disk is not None:
            cpi, vm = found
            cpi.detach_disk(vm.id, disk.id)

    def get_disks(self, vm_cid: str) -> list[str]:
        _, vm = self.vms.get(vm_cid)
        return [identity.cid(vm.cluster, disk) for disk in vm.disks]

    def set_disk_metadata(self, disk_cid: str, _metadata: Mapping[str, Any]) -> None:
        """The port cannot change tags of disks."""
        self._get(disk_cid)
        raise Unsupported(f"the CPI {self.settings.provider!r} of kubo_sdk cannot change the tags of a disk")

    def list_disks(self, director: str, name: str) -> list[dict[str, Any]]:
        """The extension ``kubo_list_disks``: a row for each disk of the cluster."""
        cluster = ClusterId(director=director, name=name)
        return [
            extension.write_disk(
                disk,
                identity.cid(cluster, disk.id),
                None if disk.attached_to is None else identity.cid(cluster, disk.attached_to),
            )
            for disk in self._connect(cluster).list_disks(cluster)
        ]

    def _connect(self, cluster: ClusterId) -> DiskCpi:
        cpi = self.settings.connect(cluster)
        if not cpi.info().disks:
            raise Unsupported(f"the CPI {self.settings.provider!r} of kubo_sdk has no persistent disks")
        return cpi

    def _find(self, disk_cid: str) -> Disk | None:
        found = identity.parse_cid(disk_cid)
        if found is None:
            return None
        cluster, disk_id = found
        return next((disk for disk in self._connect(cluster).list_disks(cluster) if disk.id == disk_id), None)

    def _get(self, disk_cid: str) -> Disk:
        found = self._find(disk_cid)
        if found is None:
            raise NotFound(f"there is no disk {disk_cid}")
        return found
