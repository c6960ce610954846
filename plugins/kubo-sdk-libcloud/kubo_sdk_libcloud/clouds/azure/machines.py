"""Azure's virtual machines."""

from __future__ import annotations

from typing import Any

from kubo_sdk.errors import Conflict, NotFound, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.azure.disks import Disks
from kubo_sdk_libcloud.clouds.azure.groups import Groups
from kubo_sdk_libcloud.clouds.azure.session import COMPUTE, NETWORK, AzureSession
from kubo_sdk_libcloud.clouds.azure.telling import machine, machine_id, name_in, resource_name, virtual_machine
from kubo_sdk_libcloud.clouds.cloud import Machine, MachineState, MachineWish
from kubo_sdk_libcloud.clouds.packing import MARK, mark_of
from kubo_sdk_libcloud.clouds.sizing import MachineType, smallest

_DEFAULT_SIZE = "Standard_B2s"


class Machines:
    """Found by their tags."""

    def __init__(self, config: AzureConfig, session: AzureSession, groups: Groups, disks: Disks) -> None:
        self._config = config
        self._session = session
        self._groups = groups
        self._disks = disks

    def create(self, wish: MachineWish) -> Machine:
        name = resource_name(wish.name, wish.key)
        found = self._look(name)
        if found is None:
            body = virtual_machine(
                self._config,
                wish,
                self._size(wish.size),
                subnet=self.subnet(),
                group=self._groups.group(wish.cluster),
                members=self._groups.members(wish.cluster),
            )
            try:
                self._session.ask("PUT", self._path(name), COMPUTE, f"make machine {name}", body)
            except Conflict:
                # Another process made it a moment ago, with another host key, and Azure does not mix the two.
                if self._look(name) is None:
                    raise
            found = self._look(name)
        if found is None:
            raise NotFound(f"Azure: machine {name} was deleted while it was made; try again")
        told = self._told([found])[0]
        if told.state is MachineState.GONE:
            raise Unavailable(f"Azure: the machine before {name} is still being deleted", retry_after=5.0)
        return told

    def of(self, cluster: ClusterId) -> tuple[Machine, ...]:
        mark = mark_of(cluster)
        raw = self._session.pages(self._path(), COMPUTE, f"list the machines of {cluster}")
        # A list tells no power state, so each machine of the cluster is asked for it.
        ours = [self._look(each["name"]) for each in raw if (each.get("tags") or {}).get(MARK) == mark]
        told = self._told([each for each in ours if each])
        return tuple(each for each in told if each.state is not MachineState.GONE)

    def find(self, known: str) -> Machine | None:
        try:
            raw = self._look(name_in(known))
        except NotFound:
            return None
        return self._told([raw])[0] if raw and machine_id(raw) == known else None

    def delete(self, known: str) -> None:
        """With its interface and root disk: they were made with ``deleteOption``."""
        try:
            raw = self._look(name_in(known))
        except NotFound:
            return
        if raw and machine_id(raw) == known:
            self._session.remove(raw["id"], COMPUTE, f"delete machine {known}")

    def act(self, known: str, action: str, **params: str) -> None:
        raw = self._look(name_in(known))
        if not raw or machine_id(raw) != known:
            raise NotFound(f"Azure: machine {known} is not there")
        self._session.ask("POST", f"{raw['id']}/{action}", COMPUTE, f"{action} machine {known}", **params)

    def subnet(self) -> str:
        """The id of the subnet that machines are in."""
        config = self._config
        group = config.network_group or config.resource_group
        return (
            f"{self._session.path('Microsoft.Network/virtualNetworks', config.network, group)}/subnets/{config.subnet}"
        )

    def _path(self, name: str = "") -> str:
        return self._session.path("Microsoft.Compute/virtualMachines", name)

    def _look(self, name: str) -> Any:
        view = {"$expand": "instanceView"}
        return self._session.find(self._path(name), COMPUTE, f"look for machine {name}", **view)

    def _told(self, raw: list[Any]) -> list[Machine]:
        """Two lists, of interfaces and of disks, for all machines together."""
        if not raw:
            return []
        path = self._session.path("Microsoft.Network/networkInterfaces")
        interfaces = {each["id"].lower(): each for each in self._session.pages(path, NETWORK, "list the interfaces")}
        disks = self._disks.ids() if any(each["properties"]["storageProfile"].get("dataDisks") for each in raw) else {}
        return [machine(each, interfaces, disks) for each in raw]

    def _size(self, size: VmSize) -> str:
        named = size.cloud_properties.get("vm_size")
        if named or not (size.cpus or size.memory_mb):
            return str(named or self._config.vm_size or _DEFAULT_SIZE)
        config = self._config
        path = f"/subscriptions/{config.subscription}/providers/Microsoft.Compute/locations/{config.location}/vmSizes"
        told = self._session.pages(path, COMPUTE, "list the sizes")
        types = (
            MachineType(
                memory_mb=int(each["memoryInMB"]),
                cpus=int(each["numberOfCores"]),
                disk_mb=0,
                name=str(each["name"]),
                id=str(each["name"]),
            )
            for each in told
            # The others of a location need special images, or are not for everyone.
            if each["name"].startswith(("Standard_B", "Standard_D", "Standard_E", "Standard_F"))
        )
        return smallest(types, size, f"Azure in {config.location}")
