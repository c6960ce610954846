"""Ec2Cloud: the `Cloud` of EC2, each method a call of the module that does the work."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.cloud import Cloud, CloudAbilities, Machine, MachineWish, Volume, VolumeWish
from kubo_sdk_libcloud.clouds.ec2.groups import Groups
from kubo_sdk_libcloud.clouds.ec2.machines import Machines
from kubo_sdk_libcloud.clouds.ec2.places import Places
from kubo_sdk_libcloud.clouds.ec2.volumes import Volumes
from kubo_sdk_libcloud.firewall import Rule


@frozen(kw_only=True)
class Ec2Cloud:
    """EC2.  ``zones``: those of the spec, each of which must have a subnet."""

    image_id: str
    zones: tuple[str, ...]
    places: Places = field(repr=False)
    groups: Groups = field(repr=False)
    machines: Machines = field(repr=False)
    volumes: Volumes = field(repr=False)

    def abilities(self) -> CloudAbilities:
        return CloudAbilities(volumes=True, zones=True, client_tokens=True)

    def image(self) -> str:
        return self.image_id

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:
        self.places.image()
        for zone in self.zones:
            self.places.subnet(zone)
        self.groups.ensure(cluster, rules, tags)

    def remove_shared(self, cluster: ClusterId) -> None:
        self.groups.remove(cluster)

    def create_machine(self, wish: MachineWish) -> Machine:
        return self.machines.create(wish)

    def complete_machine(self, machine_id: str) -> None:
        self.machines.complete(machine_id)

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        return self.machines.list(cluster, token)

    def find_machine(self, machine_id: str) -> Machine | None:
        return self.machines.find(machine_id)

    def delete_machine(self, machine_id: str) -> None:
        self.machines.delete(machine_id)

    def start_machine(self, machine_id: str) -> None:
        self.machines.start(machine_id)

    def stop_machine(self, machine_id: str) -> None:
        self.machines.stop(machine_id)

    def create_volume(self, wish: VolumeWish) -> Volume:
        return self.volumes.create(wish)

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:
        return self.volumes.list(cluster, token)

    def find_volume(self, volume_id: str) -> Volume | None:
        return self.volumes.find(volume_id)

    def attach_volume(self, machine_id: str, volume_id: str) -> None:
        self.volumes.attach(machine_id, volume_id)

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:
        self.volumes.detach(machine_id, volume_id, force=force)

    def delete_volume(self, volume_id: str) -> None:
        self.volumes.delete(volume_id)

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:
        return self.volumes.device_patterns(machine_id, volume_id)


_: type[Cloud] = Ec2Cloud
