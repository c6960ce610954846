"""VsphereCloud: the cloud ``vsphere``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.errors import Conflict, HostError, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_libcloud.clouds.cloud import CloudAbilities, Machine, MachineWish, Volume, VolumeWish
from kubo_sdk_libcloud.clouds.packing import of_token
from kubo_sdk_libcloud.clouds.tags import of_cluster
from kubo_sdk_libcloud.clouds.transport import existing
from kubo_sdk_libcloud.clouds.vsphere.config import VsphereConfig, VsphereZone
from kubo_sdk_libcloud.firewall import Rule

try:
    from pyVmomi import vim

    from kubo_sdk_libcloud.clouds.vsphere.session import VsphereSession
    from kubo_sdk_libcloud.clouds.vsphere.telling import PROPERTIES, clone, machine, moved, resource_name
except ImportError:
    raise HostError("the driver vsphere needs pyvmomi: pip install 'kubo-sdk-libcloud[vsphere]'") from None

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def connect(config: VsphereConfig, context: ConnectContext) -> VsphereCloud:
    """The cloud of that section.  ConfigError when its secret is not there.  Asks nobody."""
    secret = config.password.read("cpi.vsphere.password", context.base_dir)
    ca_file = existing(config.ca_file, context.base_dir)
    return VsphereCloud(config, VsphereSession(config, secret, ca_file, SystemClock()))


class VsphereCloud:
    """Clones of a template in one folder.  No persistent disks, and no firewall: that is the network's own affair."""

    def __init__(self, config: VsphereConfig, session: VsphereSession) -> None:
        self._config = config
        self._session = session

    def abilities(self) -> CloudAbilities:
        return CloudAbilities(zones=True, client_tokens=True)

    def image(self) -> str:
        return self._config.template

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:  # noqa: ARG002
        """Look whether everything that the config names is there."""
        self._session.at(self._config.template, "template")
        self._session.at(self._config.folder, "folder")
        for zone in self._config.zones.values():
            self._session.at(zone.pool, "resource pool")
            self._session.at(zone.datastore, "datastore")
            if zone.network:
                self._session.at(zone.network, "network")

    def remove_shared(self, cluster: ClusterId) -> None:
        """Nothing is shared."""

    def create_machine(self, wish: MachineWish) -> Machine:
        name = resource_name(wish.name, wish.key)
        path = f"{self._config.folder}/{name}"
        if self._session.find(path, "machine") is None:
            self._clone(wish, name)
        made = self._session.at(path, "machine")
        uuid = self._session.call(f"look at machine {name}", lambda _driver: made.config and made.config.instanceUuid)
        if not uuid:
            raise Unavailable(f"vSphere: machine {name} is still being cloned", retry_after=5.0)
        self.start_machine(uuid)
        found = self.find_machine(uuid)
        if found is None:
            raise NotFound(f"vSphere: machine {name} was deleted while it was made; try again")
        return found

    def _clone(self, wish: MachineWish, name: str) -> None:
        zone = self._zone(wish.zone)
        folder = self._session.at(self._config.folder, "folder")
        template = self._session.at(self._config.template, "template")
        pool = self._session.at(zone.pool, "resource pool")
        datastore = self._session.at(zone.datastore, "datastore")
        spec = clone(wish, name, pool, datastore, self._devices(template, zone))
        with suppress(Conflict):  # it is there by now: vCenter makes no two of one name in a folder
            self._session.do(
                f"make machine {name}", lambda _driver: template.CloneVM_Task(folder=folder, name=name, spec=spec)
            )

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        folder = self._session.at(self._config.folder, "folder")
        found = (machine(told) for told in self._session.properties(folder, list(PROPERTIES)))
        wanted = of_cluster(cluster).items()
        return of_token((each for each in found if each and wanted <= each.tags.items()), token)

    def find_machine(self, machine_id: str) -> Machine | None:
        raw = self._session.machine(machine_id) if _ID.fullmatch(machine_id) else None
        return self._session.call(f"look at machine {machine_id}", lambda _driver: _told(raw)) if raw else None

    def delete_machine(self, machine_id: str) -> None:
        raw = self._session.machine(machine_id) if _ID.fullmatch(machine_id) else None
        if raw is None:
            return
        with suppress(NotFound, Unavailable):  # it is off already, or gone
            self._session.do(f"power off machine {machine_id}", lambda _driver: raw.PowerOffVM_Task())
        with suppress(NotFound):
            self._session.do(f"delete machine {machine_id}", lambda _driver: raw.Destroy_Task())

    def start_machine(self, machine_id: str) -> None:
        raw = self._there(machine_id)
        if self._power(raw) != "poweredOn":
            self._session.do(f"start machine {machine_id}", lambda _driver: raw.PowerOnVM_Task())

    def stop_machine(self, machine_id: str) -> None:
        raw = self._there(machine_id)
        if self._power(raw) != "poweredOff":
            self._session.do(f"stop machine {machine_id}", lambda _driver: raw.PowerOffVM_Task())

    def create_volume(self, wish: VolumeWish) -> Volume:
        _refuse(wish.name)

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:  # noqa: ARG002
        return ()

    def find_volume(self, volume_id: str) -> Volume | None:  # noqa: ARG002
        return None

    def attach_volume(self, machine_id: str, volume_id: str) -> None:  # noqa: ARG002
        _refuse(volume_id)

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:
        """There is none."""

    def delete_volume(self, volume_id: str) -> None:
        """There is none."""

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def _power(self, raw: Any) -> str:
        return str(self._session.call("look at a machine's power", lambda _driver: raw.runtime.powerState))

    def _there(self, machine_id: str) -> Any:
        raw = self._session.machine(machine_id) if _ID.fullmatch(machine_id) else None
        if raw is None:
            raise NotFound(f"vSphere: machine {machine_id} is not there")
        return raw

    def _zone(self, zone: str) -> VsphereZone:
        found = self._config.zones.get(zone)
        if found is None:
            raise NotFound(f"vSphere: cpi.vsphere.zones does not say where {zone} is; add it there")
        return found

    def _devices(self, template: Any, zone: VsphereZone) -> list[Any]:
        """The first interface of the template goes to the zone's network."""
        if not zone.network:
            return []
        network = self._session.at(zone.network, "network")

        def changes(_driver: Any) -> list[Any]:
            devices = template.config.hardware.device
            first = next((each for each in devices if isinstance(each, vim.vm.device.VirtualEthernetCard)), None)
            if first is None:
                raise NotFound(f"vSphere: the template {self._config.template} has no network interface; add one")
            return [moved(first, network)]

        return self._session.call("look at the template", changes)


def _told(raw: Any) -> Machine | None:
    told = {
        "config.extraConfig": raw.config.extraConfig,
        "config.instanceUuid": raw.config.instanceUuid,
        "config.template": raw.config.template,
        "guest.ipAddress": raw.guest.ipAddress,
        "guest.net": raw.guest.net,
        "runtime.powerState": raw.runtime.powerState,
    }
    return machine(told)


def _refuse(what: str) -> NoReturn:
    raise ProviderError(f"vSphere: {what}: the driver vsphere has no persistent disks; set persistent_disk_mb to 0")
