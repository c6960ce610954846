"""GceCloud: the cloud ``gce``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from kubo_sdk.errors import Conflict, NotFound, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.clouds.cloud import CloudAbilities, Machine, MachineState, MachineWish, Volume, VolumeWish
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.gce.disks import Disks
from kubo_sdk_libcloud.clouds.gce.firewalls import Firewalls
from kubo_sdk_libcloud.clouds.gce.session import GceSession
from kubo_sdk_libcloud.clouds.gce.telling import device, instance, machine, resource_name, split
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of, of_token
from kubo_sdk_libcloud.clouds.transport import existing
from kubo_sdk_libcloud.firewall import Rule

_API = "https://www.googleapis.com/compute/v1"


def connect(config: GceConfig, context: ConnectContext) -> GceCloud:
    """The cloud of that section.  ConfigError when its key is not there, or is none.  Asks nobody."""
    key = config.credentials.read("cpi.gce.credentials", context.base_dir) if config.credentials else None
    return GceCloud(config, GceSession(config, key, existing(config.ca_file, context.base_dir)))


class GceCloud:
    """Instances, disks and firewall rules by network tag."""

    def __init__(self, config: GceConfig, session: GceSession) -> None:
        self._config = config
        self._session = session
        self._disks = Disks(config, session)
        self._firewalls = Firewalls(session, config.network)

    def abilities(self) -> CloudAbilities:
        return CloudAbilities(volumes=True, zones=True, client_tokens=True)

    def image(self) -> str:
        return self._config.image

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:  # noqa: ARG002
        if not self._session.find(f"{_API}/{self._config.image}", "look for the image"):
            raise NotFound(f"GCE: there is no image {self._config.image}; `gcloud compute images list` tells them")
        if not self._session.find(f"/{self._config.network}", "look for the network"):
            raise NotFound(
                f"GCE: there is no network {self._config.network}; `gcloud compute networks list` tells them"
            )
        self._firewalls.ensure(cluster, rules)

    def remove_shared(self, cluster: ClusterId) -> None:
        self._firewalls.remove(cluster)

    def create_machine(self, wish: MachineWish) -> Machine:
        zone, name = self._zone(wish.zone), resource_name(wish.name, wish.key)
        # It is there: made by the request before this one
        with suppress(Conflict):
            self._session.do(
                "POST", f"/zones/{zone}/instances", f"make machine {name}", instance(self._config, wish, zone)
            )
        told = self._session.find(f"/zones/{zone}/instances/{name}", f"look for machine {name}")
        if told is None:
            raise NotFound(f"GCE: machine {name} was deleted while it was made; try again")
        found = machine(told)
        if found.state is MachineState.STOPPING:
            raise Unavailable(f"GCE: the machine before {name} is still being deleted", retry_after=2.0)
        return found

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        what = f"list the machines of {cluster}"
        told = self._session.pages("/aggregated/instances", what, f"labels.{MARK}={mark_of(cluster)}")
        return of_token(map(machine, told), token)

    def find_machine(self, machine_id: str) -> Machine | None:
        try:
            path = split(machine_id, "instances")
        except NotFound:
            return None
        told = self._session.find(path, f"look for machine {machine_id}")
        return machine(told) if told else None

    def delete_machine(self, machine_id: str) -> None:
        try:
            self._session.ask("DELETE", split(machine_id, "instances"), f"delete machine {machine_id}")
        except NotFound:
            return

    def start_machine(self, machine_id: str) -> None:
        self._session.do("POST", f"{split(machine_id, 'instances')}/start", f"start machine {machine_id}")

    def stop_machine(self, machine_id: str) -> None:
        self._session.ask("POST", f"{split(machine_id, 'instances')}/stop", f"stop machine {machine_id}")

    def create_volume(self, wish: VolumeWish) -> Volume:
        return self._disks.create(wish, self._zone(wish.zone))

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:
        return of_token(self._disks.of(cluster), token)

    def find_volume(self, volume_id: str) -> Volume | None:
        return self._disks.find(volume_id)

    def attach_volume(self, machine_id: str, volume_id: str) -> None:
        self._disks.attach(machine_id, volume_id)

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:  # noqa: ARG002
        """GCE has no forced detachment: *force* asks once more."""
        self._disks.detach(machine_id, volume_id)

    def delete_volume(self, volume_id: str) -> None:
        self._disks.delete(volume_id)

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:  # noqa: ARG002
        """By the name that it was attached under."""
        name = device(volume_id)
        return (f"/dev/disk/by-id/google-{name}", f"/dev/disk/by-id/scsi-0Google_PersistentDisk_{name}")

    def _zone(self, zone: str) -> str:
        found = self._config.zones.get(zone)
        if not found:
            raise NotFound(f"GCE: cpi.gce.zones does not say which zone of Google {zone} is; add it there")
        return found
