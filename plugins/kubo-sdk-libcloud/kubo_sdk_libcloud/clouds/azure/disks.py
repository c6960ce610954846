"""Azure's managed disks as persistent disks."""

from __future__ import annotations

from typing import Any

from kubo_sdk.errors import Conflict, NotFound, QuotaExceeded
from kubo_sdk.model.instance import ClusterId
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.azure.session import COMPUTE, DISK, AzureSession
from kubo_sdk_libcloud.clouds.azure.telling import WIDTH, disk_id, machine_id, name_in, resource_name, volume
from kubo_sdk_libcloud.clouds.cloud import Volume, VolumeWish
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of, pack

# Data disks begin here, so that no path of the root disk or of Azure's temporary one ends like theirs.
FIRST_LUN, LUNS = 10, 64


class Disks:
    """Found by their tags."""

    def __init__(self, config: AzureConfig, session: AzureSession) -> None:
        self._config = config
        self._session = session

    def create(self, wish: VolumeWish) -> Volume:
        path = self._path(resource_name(wish.name, wish.key))
        found = self._session.find(path, DISK, f"look for disk {wish.name}")
        if found is None:
            body: dict[str, Any] = {
                "location": self._config.location,
                "tags": pack(wish.cluster, wish.tags, WIDTH),
                "sku": {"name": self._config.disk_type},
                "properties": {
                    "creationData": {"createOption": "Empty"},
                    "diskSizeGB": -(-wish.size_mb // 1024),
                },
            }
            if self._config.zones.get(wish.zone):
                body["zones"] = [self._config.zones[wish.zone]]
            self._session.ask("PUT", path, DISK, f"make disk {wish.name}", body)
            found = self._session.ask("GET", path, DISK, f"look for disk {wish.name}")
        return self._told(found)

    def of(self, cluster: ClusterId) -> tuple[Volume, ...]:
        return tuple(map(self._told, self._of(cluster)))

    def ids(self) -> dict[str, str]:
        """Our id of each disk of the resource group, by its lower-case resource id."""
        return {each["id"].lower(): disk_id(each) for each in self._all()}

    def find(self, known: str) -> Volume | None:
        raw = self._raw(known)
        return self._told(raw) if raw else None

    def attach(self, machine: str, known: str) -> None:
        raw = self._raw(known)
        if raw is None:
            raise NotFound(f"Azure: disk {known} is not there")
        found = self._told(raw)
        if found.attached_to == machine:
            return
        if found.attached_to:
            raise Conflict(f"Azure: disk {known} is attached to {found.attached_to}; detach it there first")
        disks = self._data_disks(machine)
        taken = {each["lun"] for each in disks}
        free = next((lun for lun in range(FIRST_LUN, LUNS) if lun not in taken), None)
        if free is None:
            raise QuotaExceeded(f"Azure: machine {machine} has no place for another disk")
        added = {"lun": free, "createOption": "Attach", "deleteOption": "Detach", "managedDisk": {"id": raw["id"]}}
        self._put(machine, [*disks, added], f"attach disk {known}")

    def detach(self, machine: str, known: str) -> None:
        raw = self._raw(known)
        try:
            disks = self._data_disks(machine)
        except NotFound:
            return
        kept = [each for each in disks if raw and each["managedDisk"]["id"].lower() != raw["id"].lower()]
        if raw and len(kept) < len(disks):
            self._put(machine, kept, f"detach disk {known}")

    def delete(self, known: str) -> None:
        raw = self._raw(known)
        if raw is None:
            return
        if raw.get("managedBy"):
            raise Conflict(f"Azure: disk {known} is attached to {raw['managedBy'].rsplit('/', 1)[-1]}; detach it first")
        self._session.remove(raw["id"], DISK, f"delete disk {known}")

    def lun(self, machine: str, known: str) -> int | None:
        """Where the machine has the disk."""
        name = name_in(known).lower()
        held = (each for each in self._data_disks(machine) if each["managedDisk"]["id"].lower().endswith(f"/{name}"))
        return next((int(each["lun"]) for each in held), None)

    def _path(self, name: str = "") -> str:
        return self._session.path("Microsoft.Compute/disks", name)

    def _all(self) -> list[Any]:
        return self._session.pages(self._path(), DISK, "list the disks")

    def _of(self, cluster: ClusterId) -> list[Any]:
        mark = mark_of(cluster)
        return [each for each in self._all() if (each.get("tags") or {}).get(MARK) == mark]

    def _raw(self, known: str) -> Any:
        try:
            path = self._path(name_in(known))
        except NotFound:
            return None
        raw = self._session.find(path, DISK, f"look for disk {known}")
        return raw if raw and disk_id(raw) == known else None

    def _told(self, raw: Any) -> Volume:
        """A disk names the machine that has it by its path, and that one tells its id."""
        holder = ""
        if raw.get("managedBy"):
            told = self._session.find(raw["managedBy"], COMPUTE, "look for the machine of a disk")
            holder = machine_id(told) if told else raw["managedBy"].rsplit("/", 1)[-1]
        return volume(raw, holder)

    def _data_disks(self, machine: str) -> list[Any]:
        path = self._session.path("Microsoft.Compute/virtualMachines", name_in(machine))
        told = self._session.ask("GET", path, COMPUTE, f"look for machine {machine}")
        if machine_id(told) != machine:
            raise NotFound(f"Azure: machine {machine} is not there")
        return list(told["properties"]["storageProfile"].get("dataDisks") or ())

    def _put(self, machine: str, disks: list[Any], what: str) -> None:
        path = self._session.path("Microsoft.Compute/virtualMachines", name_in(machine))
        body = {"properties": {"storageProfile": {"dataDisks": disks}}}
        self._session.ask("PATCH", path, COMPUTE, what, body)
