"""EC2's volumes: asked for once by a client token, found again by their tags."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from string import ascii_lowercase
from xml.etree.ElementTree import Element

from attrs import field, frozen

from kubo_sdk.errors import Conflict, NotFound, ProviderError, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Volume, VolumeState, VolumeWish
from kubo_sdk_libcloud.clouds.ec2.api import Api, Value, filters, tag_filters, tag_specification, tags_of
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.ec2.faults import Refusal
from kubo_sdk_libcloud.clouds.ec2.machines import SEEN_WITHIN, repeated
from kubo_sdk_libcloud.clouds.ec2.places import Places

_LIVES = 64
# What EC2 leaves to volumes of ours: /dev/sdf to /dev/sdp.
_LETTERS = ascii_lowercase[5:16]
_STATES = {
    "creating": VolumeState.CREATING,
    "available": VolumeState.FREE,
    "in-use": VolumeState.ATTACHED,
    "error": VolumeState.FAILED,
}
_ATTACHMENTS = {
    "attaching": VolumeState.ATTACHING,
    "attached": VolumeState.ATTACHED,
    "busy": VolumeState.DETACHING,
    "detaching": VolumeState.DETACHING,
}


@frozen(kw_only=True)
class Volumes:
    """The volumes of clusters.  ``seen_within``: seconds for which EC2 may not tell of what it has just made."""

    api: Api = field(repr=False)
    config: Ec2Config = field(repr=False)
    places: Places = field(repr=False)
    seen_within: float = SEEN_WITHIN

    def create(self, wish: VolumeWish) -> Volume:
        """Ask for the volume; one that was asked for with the same key and is there is returned."""
        for life in range(_LIVES):
            token = hashlib.sha256(f"{wish.key} {life}".encode()).hexdigest()
            found = self._ask(wish, token)
            if found is not None:
                return found
        raise Conflict(
            f"{self.api.where}: disk {wish.name} was made and deleted {_LIVES} times in a day; wait, or look for why"
        )

    def _ask(self, wish: VolumeWish, token: str) -> Volume | None:
        """The volume that this client token stands for; None when that one is gone."""
        given: dict[str, Value] = {
            "AvailabilityZone": self.places.subnet(wish.zone).zone,
            "Size": -(-wish.size_mb // 1024),
            "VolumeType": self.config.volume_type,
            "Encrypted": self.config.encrypted,
            "ClientToken": token,
            **tag_specification("volume", {**wish.tags, "Name": wish.name}),
        }
        try:
            answer = repeated(lambda: self.api.call(f"making disk {wish.name}", "CreateVolume", given))
        except ProviderError as error:
            if isinstance(error.__cause__, Refusal) and error.__cause__.code == "IdempotentParameterMismatch":
                raise Conflict(
                    f"{self.api.where}: disk {wish.name} was asked for with another size before; ask again in a day"
                ) from error
            raise
        made = answer.findtext("volumeId") or ""
        return self.api.seen(lambda: self.find(made), f"the sight of {made}", self.seen_within)

    def list(self, cluster: ClusterId, token: str) -> tuple[Volume, ...]:
        wanted = {**tags.of_cluster(cluster), **({tags.TOKEN: token} if token else {})}
        what = f"looking for the disks of cluster {cluster}"
        told = self.api.pages(what, "DescribeVolumes", filters(tag_filters(wanted)), "volumeSet/item")
        return tuple(each for each in map(volume, told) if each is not None and wanted.items() <= each.tags.items())

    def find(self, volume_id: str) -> Volume | None:
        with suppress(NotFound):
            answer = self.api.call(f"looking for {volume_id}", "DescribeVolumes", {"VolumeId.1": volume_id})
            found = answer.find("volumeSet/item")
            return None if found is None else volume(found)
        return None

    def attach(self, machine_id: str, volume_id: str) -> None:
        """Ask for the attachment at a device name that is free; two that ask at once are refused one."""
        what = f"attaching {volume_id} to {machine_id}"
        for device in self._free_devices(machine_id):
            try:
                given = {"InstanceId": machine_id, "VolumeId": volume_id, "Device": device}
                self.api.call(what, "AttachVolume", given)
            except ProviderError as error:
                if isinstance(error.__cause__, Refusal) and "already in use" in error.__cause__.message:
                    continue
                raise
            return
        raise QuotaExceeded(f"{self.api.where}: {machine_id} has no device name free for {volume_id}; detach a volume")

    def _free_devices(self, machine_id: str) -> Iterator[str]:
        answer = self.api.call(f"looking for {machine_id}", "DescribeInstances", {"InstanceId.1": machine_id})
        mapped = answer.findall("reservationSet/item/instancesSet/item/blockDeviceMapping/item")
        taken = {each.findtext("deviceName") for each in mapped}
        return (device for letter in _LETTERS if (device := f"/dev/sd{letter}") not in taken)

    def detach(self, machine_id: str, volume_id: str, *, force: bool) -> None:
        """Name the device too: some clouds insist on it."""
        item = self._attachment(machine_id, volume_id)
        if item is None:
            return
        given: dict[str, Value] = {"InstanceId": machine_id, "VolumeId": volume_id, "Device": item.findtext("device")}
        try:
            self.api.call(f"detaching {volume_id}", "DetachVolume", {**given, "Force": force or None})
        except (NotFound, Conflict):
            if self._attachment(machine_id, volume_id) is not None and force:
                raise

    def _attachment(self, machine_id: str, volume_id: str) -> Element | None:
        with suppress(NotFound):
            answer = self.api.call(f"looking for {volume_id}", "DescribeVolumes", {"VolumeId.1": volume_id})
            for item in answer.findall("volumeSet/item/attachmentSet/item"):
                if item.findtext("instanceId") == machine_id:
                    return item
        return None

    def delete(self, volume_id: str) -> None:
        with suppress(NotFound):
            self.api.call(f"deleting {volume_id}", "DeleteVolume", {"VolumeId": volume_id})

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:
        """Nitro's NVMe devices carry the volume's id; Xen's have the name that was asked for."""
        patterns = [f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"]
        item = self._attachment(machine_id, volume_id)
        device = (item.findtext("device") or "") if item is not None else ""
        if device:
            letter = device[-1]
            patterns += [f"/dev/xvd{letter}", device, f"/dev/vd{letter}"]
        return tuple(patterns)


def volume(element: Element) -> Volume | None:
    """The volume as every cloud tells it; None for one that is deleted."""
    status = element.findtext("status") or ""
    if status in ("deleting", "deleted"):
        return None
    item = element.find("attachmentSet/item")
    attached = item is not None and item.findtext("status") != "detached"
    state = _STATES.get(status, VolumeState.FAILED)
    if item is not None and attached:
        state = _ATTACHMENTS.get(item.findtext("status") or "", state)
    return Volume(
        id=element.findtext("volumeId") or "",
        state=state,
        size_mb=int(element.findtext("size") or 0) * 1024,
        attached_to=(item.findtext("instanceId") or "") if item is not None and attached else "",
        tags=tags_of(element),
    )
