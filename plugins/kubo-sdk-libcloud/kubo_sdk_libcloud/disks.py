"""Disks: the cloud's volumes as persistent disks, attached and detached until it is done, and mounted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from attrs import field, frozen

from kubo_sdk import disk_mounting
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, KuboError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Disk, DiskRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Cloud, Machine, MachineState, Volume, VolumeState, VolumeWish
from kubo_sdk_libcloud.machines import key_of, name_of

T = TypeVar("T")


@frozen(kw_only=True)
class Disks:
    """``timeout``: seconds for a volume to be made, attached or detached.

    ``await_entry``: waits until a machine can be entered, by its id and name.
    """

    cloud: Cloud = field(repr=False)
    shell_of: Callable[[str, str], Shell] = field(repr=False)
    await_entry: Callable[[str, str], None] = field(repr=False)
    timeout: float
    interval: float
    clock: Clock = field(repr=False)

    def create(self, request: DiskRequest) -> Volume:
        """The volume of *request*.  The caller holds the lock of its token."""
        found = sorted(self.cloud.list_volumes(request.cluster, request.token), key=lambda each: each.id)
        volume = found[0] if found else self._ask(request)
        try:
            return self._await(lambda: self._made(volume.id), f"the making of disk {volume.id}")
        except Exception:
            if not found:
                self._undo(volume.id)
            raise

    def _ask(self, request: DiskRequest) -> Volume:
        cluster, instance = request.cluster, request.instance
        wish = VolumeWish(
            cluster=cluster,
            key=key_of("disk", cluster, request.token),
            name=name_of(cluster, f"{instance.slug}-disk"),
            zone=instance.az,
            size_mb=request.size_mb,
            tags=tags.of_instance(cluster, instance.id, request.token, instance.az),
        )
        try:
            return self.cloud.create_volume(wish)
        except ProviderError:
            with suppress(KuboError):  # nobody knows whether it was made
                for left in self.cloud.list_volumes(cluster, request.token):
                    self.cloud.delete_volume(left.id)
            raise

    def _made(self, volume_id: str) -> Volume | None:
        found = self.cloud.find_volume(volume_id)
        if found is None or found.state is VolumeState.CREATING:
            return None
        if found.state is VolumeState.FAILED:
            raise ProviderError(f"the cloud failed to make disk {volume_id}; ask again")
        return found

    def _undo(self, volume_id: str) -> None:
        with suppress(KuboError):
            self.cloud.delete_volume(volume_id)

    def check(self, disk_ids: tuple[str, ...], machine_id: str | None) -> None:
        """NotFound for a disk that is not there, Conflict for one that another machine than *machine_id* has."""
        for disk_id in disk_ids:
            self._free_for(self._get(disk_id), machine_id)

    def _get(self, disk_id: str) -> Volume:
        found = self.cloud.find_volume(disk_id)
        if found is None or tags.owner(found.tags) is None:
            raise NotFound(f"there is no disk {disk_id}")
        return found

    def _free_for(self, volume: Volume, machine_id: str | None) -> None:
        holder = volume.attached_to
        if holder and holder != machine_id and not self._is_gone(holder):
            raise Conflict(f"disk {volume.id} is attached to {holder}; detach it there first")

    def _is_gone(self, machine_id: str) -> bool:
        found = self.cloud.find_machine(machine_id)
        return found is None or found.state is MachineState.GONE

    def attach(self, machine: Machine, disk_id: str, name: str) -> None:
        """Attach and mount the disk; one that gets stuck is taken off again."""
        volume = self._get(disk_id)
        self._free_for(volume, machine.id)
        if volume.attached_to not in ("", machine.id):
            self._let_go(volume.attached_to, disk_id)
        if (volume.attached_to, volume.state) != (machine.id, VolumeState.ATTACHED):
            self._attached(machine.id, volume)
        self.mount(machine.id, disk_id, name)

    def _attached(self, machine_id: str, volume: Volume) -> None:
        if volume.state is VolumeState.DETACHING:
            self._let_go(volume.attached_to, volume.id)
        if volume.state is not VolumeState.ATTACHING:
            self.cloud.attach_volume(machine_id, volume.id)

        def attached() -> bool | None:
            found = self.cloud.find_volume(volume.id)
            if found is None:
                raise NotFound(f"disk {volume.id} went while it was attached")
            return True if (found.attached_to, found.state) == (machine_id, VolumeState.ATTACHED) else None

        try:
            self._await(attached, f"the attachment of disk {volume.id} to {machine_id}")
        except Unavailable as stuck:
            with suppress(KuboError):
                self._let_go(machine_id, volume.id)
            raise Unavailable(f"{stuck}; it was stuck and is taken off again; try again", retry_after=None) from stuck

    def mount(self, machine_id: str, disk_id: str, name: str) -> None:
        """Mount the attached disk as soon as the machine can be entered."""
        self.await_entry(machine_id, name)
        disk_mounting.mount(self.shell_of(machine_id, name), self.cloud.device_patterns(machine_id, disk_id), name)

    def detach(self, machine: Machine, disk_id: str, name: str) -> None:
        """Unmount and detach the disk.  A machine that cannot be entered is not asked to unmount."""
        volume = self.cloud.find_volume(disk_id)
        if volume is None or volume.attached_to != machine.id:
            return
        if machine.state is MachineState.RUNNING and volume.state is VolumeState.ATTACHED:
            with suppress(Unavailable, NotFound):
                disk_mounting.unmount(self.shell_of(machine.id, name), name)
        self._let_go(machine.id, disk_id)

    def released(self, machine_id: str, disk_ids: tuple[str, ...]) -> None:
        """The machine is going: wait until its disks are free."""
        for disk_id in disk_ids:
            self._let_go(machine_id, disk_id)

    def _let_go(self, machine_id: str, disk_id: str) -> None:
        """Detach until the volume is free, by force when asking does not help."""
        for force in (False, True):
            self.cloud.detach_volume(machine_id, disk_id, force=force)
            try:
                self._await(lambda: self._is_free(machine_id, disk_id), f"the detachment of disk {disk_id}")
            except Unavailable:
                if force:
                    raise
            else:
                return

    def _is_free(self, machine_id: str, disk_id: str) -> bool | None:
        found = self.cloud.find_volume(disk_id)
        return True if found is None or found.attached_to != machine_id else None

    def delete(self, disk_id: str) -> None:
        found = self.cloud.find_volume(disk_id)
        if found is None or tags.owner(found.tags) is None:
            return
        if found.attached_to:
            if not self._is_gone(found.attached_to):
                raise Conflict(f"disk {disk_id} is attached to {found.attached_to}; detach it first")
            self._let_go(found.attached_to, disk_id)
        self.cloud.delete_volume(disk_id)

    def list(self, cluster: ClusterId) -> tuple[Disk, ...]:
        found = self.cloud.list_volumes(cluster)
        return tuple(disk_of(each) for each in found if tags.owner(each.tags) is not None)

    def _await(self, probe: Callable[[], T | None], what: str) -> T:
        return wait_until(probe, what=what, timeout=self.timeout, interval=self.interval, clock=self.clock)


def disk_of(volume: Volume) -> Disk:
    """The volume as the port tells it."""
    cluster = tags.owner(volume.tags)
    assert cluster is not None
    return Disk(
        id=volume.id,
        cluster=cluster,
        instance=volume.tags.get(tags.INSTANCE, ""),
        token=volume.tags.get(tags.TOKEN, ""),
        size_mb=volume.size_mb,
        attached_to=volume.attached_to or None,
    )
