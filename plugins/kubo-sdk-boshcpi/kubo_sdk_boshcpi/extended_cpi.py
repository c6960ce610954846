"""ExtendedCpi: the port over ``kubo-cpi``, whose extension lists by tags.  Nothing is remembered on this side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from kubo_sdk.errors import ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CpiInfo, Disk, DiskCpi, DiskRequest, Vm, VmRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk_boshcpi import extension, networks, wishes
from kubo_sdk_boshcpi.client import Client
from kubo_sdk_boshcpi.config import BoshConfig
from kubo_sdk_boshcpi.secret_options import Secrets

T = TypeVar("T")


@frozen(kw_only=True)
class ExtendedCpi:
    """Machines and disks of the CPI behind ``kubo-cpi``.  ``shell_of`` opens the way onto a machine."""

    config: BoshConfig = field(repr=False)
    client: Client = field(repr=False)
    able: CpiInfo
    shell_of: Callable[[Vm], Shell] = field(repr=False)
    secrets: Secrets = field(repr=False)

    def info(self) -> CpiInfo:
        return self.able

    def prepare(self, cluster: ClusterId) -> None:
        self._call(extension.PREPARE, cluster.director, cluster.name)

    def create_vm(self, request: VmRequest) -> Vm:
        config, request = self.config, self.secrets.fill_request(request)
        wanted = networks.networks_of(config.networks, request.instance.az)
        result = self._call(
            "create_vm",
            wishes.agent_id(request.cluster, request.token),
            config.stemcell or "kubo",
            wishes.cloud_properties({}, config.cloud_properties, config.azs, request),
            networks.settings(wanted, {}),
            list(request.disks),
            wishes.env(config.env, request),
            context=extension.write_vm_request(request),
        )
        cid = result[0] if isinstance(result, list) and result else result
        found = next((vm for vm in self.list_vms(request.cluster) if vm.id == cid), None)
        if found is None:
            raise ProviderError(f"kubo-cpi made the machine {cid!r} for {request.instance} but does not list it")
        return found

    def delete_vm(self, vm_id: str) -> None:
        self._call("delete_vm", vm_id)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return self._list(extension.LIST_VMS, cluster, extension.read_vm)

    def reboot_vm(self, vm_id: str) -> None:
        self._call("reboot_vm", vm_id)

    def open_shell(self, vm: Vm) -> Shell:
        return self.shell_of(vm)

    def dispose(self, cluster: ClusterId) -> None:
        self._call(extension.DISPOSE, cluster.director, cluster.name)

    def create_disk(self, request: DiskRequest) -> Disk:
        properties = dict(self.config.disk_properties)
        context = extension.write_disk_request(request)
        cid = self._call("create_disk", request.size_mb, properties, None, context=context)
        found = next((disk for disk in self.list_disks(request.cluster) if disk.id == cid), None)
        if found is None:
            raise ProviderError(f"kubo-cpi made the disk {cid!r} for {request.instance} but does not list it")
        return found

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        self._call("attach_disk", vm_id, disk_id)

    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        self._call("detach_disk", vm_id, disk_id)

    def delete_disk(self, disk_id: str) -> None:
        self._call("delete_disk", disk_id)

    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        return self._list(extension.LIST_DISKS, cluster, extension.read_disk)

    def _list(
        self, method: str, cluster: ClusterId, read: Callable[[Mapping[str, Any], ClusterId], T]
    ) -> tuple[T, ...]:
        rows = self._call(method, cluster.director, cluster.name)
        try:
            return tuple(read(row, cluster) for row in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderError(f"{method} of kubo-cpi answers with rows of another shape ({error!r})") from error

    def _call(self, method: str, *arguments: Any, context: Mapping[str, Any] | None = None) -> Any:
        return self.client.call(method, *arguments, context=context or extension.marker())


_: type[DiskCpi] = ExtendedCpi
