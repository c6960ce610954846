"""AzureCloud: the cloud ``azure``."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.azure.disks import Disks
from kubo_sdk_libcloud.clouds.azure.groups import Groups
from kubo_sdk_libcloud.clouds.azure.machines import Machines
from kubo_sdk_libcloud.clouds.azure.session import NETWORK, AzureSession
from kubo_sdk_libcloud.clouds.cloud import CloudAbilities, Machine, MachineWish, Volume, VolumeWish
from kubo_sdk_libcloud.clouds.packing import of_token
from kubo_sdk_libcloud.clouds.transport import existing
from kubo_sdk_libcloud.firewall import Rule


def connect(config: AzureConfig, context: ConnectContext) -> AzureCloud:
    """The cloud of that section.  ConfigError when its secret is not there.  Asks nobody."""
    secret = config.client_secret.read("cpi.azure.client_secret", context.base_dir)
    return AzureCloud(config, AzureSession(config, secret, existing(config.ca_file, context.base_dir)))


class AzureCloud:
    """Virtual machines, managed disks and one security group per cluster, all in one resource group."""

    def __init__(self, config: AzureConfig, session: AzureSession) -> None:
        self._config = config
        self._session = session
        self._groups = Groups(session, config.location)
        self._disks = Disks(config, session)
        self._machines = Machines(config, session, self._groups, self._disks)

    def abilities(self) -> CloudAbilities:
        return CloudAbilities(volumes=True, zones=bool(self._config.zones), client_tokens=True)

    def image(self) -> str:
        return self._config.image

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:
        subnet = self._machines.subnet()
        if not self._session.find(subnet, NETWORK, "look for the subnet"):
            raise NotFound(f"Azure: there is no {subnet}; make the network and its subnet first")
        self._groups.ensure(cluster, rules, tags)

    def remove_shared(self, cluster: ClusterId) -> None:
        self._groups.remove(cluster)

    def create_machine(self, wish: MachineWish) -> Machine:
        return self._machines.create(wish)

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        return of_token(self._machines.of(cluster), token)

    def find_machine(self, machine_id: str) -> Machine | None:
        return self._machines.find(machine_id)

    def delete_machine(self, machine_id: str) -> None:
        self._machines.delete(machine_id)

    def start_machine(self, machine_id: str) -> None:
        self._machines.act(machine_id, "start")

    def stop_machine(self, machine_id: str) -> None:
        """Without deallocating it: a machine that gives its place back may not get another."""
        self._machines.act(machine_id, "powerOff", skipShutdown="true")

    def create_volume(self, wish: VolumeWish) -> Volume:
        return self._disks.create(wish)

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:
        return of_token(self._disks.of(cluster), token)

    def find_volume(self, volume_id: str) -> Volume | None:
        return self._disks.find(volume_id)

    def attach_volume(self, machine_id: str, volume_id: str) -> None:
        self._disks.attach(machine_id, volume_id)

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:  # noqa: ARG002
        """*force* asks once more: a forced detachment would leave the machine with a disk that is not there."""
        self._disks.detach(machine_id, volume_id)

    def delete_volume(self, volume_id: str) -> None:
        self._disks.delete(volume_id)

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:
        """By the place (LUN) that the machine has it at."""
        lun = self._disks.lun(machine_id, volume_id)
        if lun is None:
            return ()
        return (
            f"/dev/disk/azure/data/by-lun/{lun}",
            f"/dev/disk/azure/scsi1/lun{lun}",
            f"/dev/disk/by-path/*scsi-0:0:0:{lun}",
        )
