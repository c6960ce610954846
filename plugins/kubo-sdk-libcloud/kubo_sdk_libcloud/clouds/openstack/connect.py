"""OpenStackCloud: the cloud ``openstack``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.clouds.cloud import CloudAbilities, Machine, MachineState, MachineWish, Volume, VolumeWish
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.openstack.groups import Groups
from kubo_sdk_libcloud.clouds.openstack.servers import Servers
from kubo_sdk_libcloud.clouds.openstack.session import OpenStackSession
from kubo_sdk_libcloud.clouds.openstack.volumes import Volumes
from kubo_sdk_libcloud.clouds.packing import of_token
from kubo_sdk_libcloud.clouds.transport import existing
from kubo_sdk_libcloud.firewall import Rule

_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def connect(config: OpenStackConfig, context: ConnectContext) -> OpenStackCloud:
    """The cloud of that section.  ConfigError when its secret is not there.  Asks nobody."""
    source = config.password or config.application_secret
    option = "cpi.openstack.password" if config.password else "cpi.openstack.application_secret"
    if source is None:
        raise AssertionError("the section has refused to be without a login")
    secret = source.read(option, context.base_dir)
    return OpenStackCloud(config, OpenStackSession(config, secret, existing(config.ca_file, context.base_dir)))


class OpenStackCloud:
    """Servers, volumes and one security group per cluster.  Addresses are those of the network: no floating ones."""

    def __init__(self, config: OpenStackConfig, session: OpenStackSession) -> None:
        self._config = config
        self._session = session
        self._groups = Groups(session)
        self._servers = Servers(config, session)
        self._volumes = Volumes(config, session)

    def abilities(self) -> CloudAbilities:
        return CloudAbilities(volumes=True, zones=bool(self._config.zones))

    def image(self) -> str:
        return self._config.image

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:  # noqa: ARG002
        image, network = self._config.image, self._config.network
        if not self._session.find("image", f"/v2/images/{image}", "look for the image"):
            raise NotFound(f"OpenStack: there is no image {image}; `openstack image list` tells their ids")
        if not self._session.find("network", f"/v2.0/networks/{network}", "look for the network"):
            raise NotFound(f"OpenStack: there is no network {network}; `openstack network list` tells their ids")
        self._groups.ensure(cluster, rules)

    def remove_shared(self, cluster: ClusterId) -> None:
        self._groups.remove(cluster)

    def create_machine(self, wish: MachineWish) -> Machine:
        return self._servers.create(wish, self._groups.id_of(wish.cluster))

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        return of_token(self._servers.of(cluster), token)

    def find_machine(self, machine_id: str) -> Machine | None:
        return self._servers.find(machine_id) if _ID.fullmatch(machine_id) else None

    def delete_machine(self, machine_id: str) -> None:
        if _ID.fullmatch(machine_id):
            self._servers.delete(machine_id)

    def start_machine(self, machine_id: str) -> None:
        self._servers.act(machine_id, "os-start", MachineState.RUNNING)

    def stop_machine(self, machine_id: str) -> None:
        self._servers.act(machine_id, "os-stop", MachineState.STOPPED)

    def create_volume(self, wish: VolumeWish) -> Volume:
        return self._volumes.create(wish)

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:
        return of_token(self._volumes.of(cluster), token)

    def find_volume(self, volume_id: str) -> Volume | None:
        return self._volumes.find(volume_id) if _ID.fullmatch(volume_id) else None

    def attach_volume(self, machine_id: str, volume_id: str) -> None:
        self._volumes.attach(machine_id, volume_id)

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:  # noqa: ARG002
        """Nova has no forced detachment for users: *force* asks once more."""
        self._volumes.detach(machine_id, volume_id)

    def delete_volume(self, volume_id: str) -> None:
        if _ID.fullmatch(volume_id):
            self._volumes.delete(volume_id)

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:  # noqa: ARG002
        """QEMU shows the id as serial number: 20 characters of it on virtio-blk, more on virtio-scsi."""
        return (
            f"/dev/disk/by-id/virtio-{volume_id[:20]}",
            f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{volume_id}",
            f"/dev/disk/by-id/*{volume_id[:20]}*",
        )
