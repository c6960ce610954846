"""VmMethods: the methods of a BOSH CPI about machines, over a CPI of kubo_sdk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import DiskCpi, Vm, VmRequest
from kubo_sdk_boshcpi import extension
from kubo_sdk_boshcpi.faults import Unsupported, VmNotFound
from kubo_sdk_boshcpi.locks import write_json
from kubo_sdk_boshcpi.server import identity, sharing
from kubo_sdk_boshcpi.server.settings import Settings


@frozen
class VmMethods:
    """Machines.  ``extended`` is the caller's ``kubo`` context, where it is the provider `bosh`."""

    settings: Settings
    extended: Mapping[str, Any] | None
    version: int

    def create_vm(
        self, agent_id: str, _stemcell: str, cloud_properties: Any, networks: Any, _disks: Any, env: Any
    ) -> Any:
        """Version 1 answers the cid, version 2 the cid and the networks.  Disks are attached later, but for our own."""
        _refuse_manual(networks, self.settings.provider)
        request = self._request(str(agent_id), cloud_properties or {}, env)
        cpi = self.settings.connect(request.cluster)
        shared = sharing.using(self.settings.own_state, request.cluster, cpi)
        with shared if self.extended is None else nullcontext():
            vm = cpi.create_vm(request)
        cid = identity.cid(request.cluster, vm.id)
        return cid if self.version == 1 else [cid, _with_address(networks, vm.address)]

    def _request(self, agent_id: str, cloud_properties: Mapping[str, Any], env: Any) -> VmRequest:
        if self.extended is None:
            return identity.vm_request(agent_id, cloud_properties, env, self.settings.defaults)
        request = extension.read_vm_request(self.extended)
        return _with_own_disks(request)

    def delete_vm(self, vm_cid: str) -> None:
        """Deleting what is absent succeeds."""
        found = identity.parse_cid(vm_cid)
        if found is None:
            return
        cluster, vm_id = found
        cpi = self.settings.connect(cluster)
        cpi.delete_vm(vm_id)
        self._metadata(vm_cid).unlink(missing_ok=True)
        if self.extended is None:
            sharing.dispose_if_empty(self.settings.own_state, cluster, cpi)

    def has_vm(self, vm_cid: str) -> bool:
        return self.find(vm_cid) is not None

    def reboot_vm(self, vm_cid: str) -> None:
        cpi, vm = self.get(vm_cid)
        cpi.reboot_vm(vm.id)

    def set_vm_metadata(self, vm_cid: str, metadata: Any) -> None:
        """The port cannot change tags, so the metadata is kept beside, for people to read."""
        self.get(vm_cid)
        write_json(self._metadata(vm_cid), {"cid": vm_cid, "metadata": metadata})

    def calculate_vm_cloud_properties(self, requirements: Any) -> dict[str, int]:
        return identity.calculated(requirements)

    def list_vms(self, director: str, name: str) -> list[dict[str, Any]]:
        """The extension ``kubo_list_vms``: a row for each machine of the cluster."""
        cluster = ClusterId(director=director, name=name)
        return [
            extension.write_vm(
                vm, identity.cid(cluster, vm.id), {disk: identity.cid(cluster, disk) for disk in vm.disks}
            )
            for vm in self.settings.connect(cluster).list_vms(cluster)
        ]

    def find(self, vm_cid: str) -> tuple[DiskCpi, Vm] | None:
        """The machine and its CPI, or None."""
        found = identity.parse_cid(vm_cid)
        if found is None:
            return None
        cluster, vm_id = found
        cpi = self.settings.connect(cluster)
        return next(((cpi, vm) for vm in cpi.list_vms(cluster) if vm.id == vm_id), None)

    def get(self, vm_cid: str) -> tuple[DiskCpi, Vm]:
        """The machine and its CPI; VmNotFound when there is none."""
        found = self.find(vm_cid)
        if found is None:
            raise VmNotFound(f"there is no machine {vm_cid}")
        return found

    def _metadata(self, vm_cid: str) -> Path:
        digest = hashlib.sha256(vm_cid.encode()).hexdigest()[:16]
        return self.settings.own_state / "metadata" / f"{digest}.json"


def _with_own_disks(request: VmRequest) -> VmRequest:
    """The request with ids of the CPI behind in the place of cids."""
    found = [identity.parse_cid(cid) for cid in request.disks]
    ids = tuple(cid if each is None else each[1] for each, cid in zip(found, request.disks, strict=True))
    return evolve(request, disks=ids)


def _refuse_manual(networks: Any, provider: str) -> None:
    if not isinstance(networks, Mapping):
        raise ConfigError(["networks must be an object"])
    manual = [name for name, network in networks.items() if network.get("type") == "manual" and network.get("ip")]
    if manual:
        raise Unsupported(
            f"network {manual[0]!r} is manual, but the CPI {provider!r} of kubo_sdk gives out addresses itself; "
            "make it dynamic"
        )


def _with_address(networks: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The networks with the machine's address in the one that is its gateway."""
    gateways = [name for name, network in networks.items() if "gateway" in (network.get("default") or ())]
    gateway = next(iter([*gateways, *networks]), None)
    return {
        name: {**network, "ip": address} if name == gateway and address else network
        for name, network in networks.items()
    }
