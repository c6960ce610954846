"""The CPI ``rack`` for kubo_sdk: lends machines that stand in a rack.  Their labels say who has which."""

from __future__ import annotations

import json
import threading
import uuid
from pkgutil import resolve_name
from typing import Protocol

from attrs import asdict, frozen

from kubo_sdk import ClusterId, hookimpl
from kubo_sdk.errors import NotFound, QuotaExceeded
from kubo_sdk.ports.cpi import CpiInfo, Vm, VmRequest, VmState
from kubo_sdk.ports.providers import ConnectContext, CpiProvider
from kubo_sdk.ports.shell import Shell


class Machine(Protocol):
    """One machine of the rack.  What is asked of it for a label that it no longer has does nothing, or is Conflict."""

    zone: str
    label: str  # empty while it is free
    state: VmState
    address: str

    def claim(self, label: str) -> bool: ...  # False when it has a label
    def install(self, label: str, request: VmRequest) -> None: ...  # and start; again: nothing
    def erase(self, label: str) -> None: ...  # the label goes last
    def reset(self) -> None: ...
    def shell(self) -> Shell: ...


@frozen(kw_only=True)
class RackConfig:
    machines: str  # those of the rack, as module:attribute


class Rack:
    def __init__(self, config: RackConfig, _context: ConnectContext) -> None:
        self._machines, self._lock = resolve_name(config.machines), threading.Lock()

    def info(self) -> CpiInfo:
        return CpiInfo(zones=True)

    def prepare(self, cluster: ClusterId) -> None: ...  # machines share nothing
    def dispose(self, cluster: ClusterId) -> None: ...

    def create_vm(self, request: VmRequest) -> Vm:
        with self._lock:
            machine, label = self._lend(request)
        try:
            machine.install(label, request)
        except Exception:
            machine.erase(label)  # nothing half-made is left
            raise
        return _vm(machine, label)

    def delete_vm(self, vm_id: str) -> None:
        for machine, label, vm in self._lent():
            if vm.id == vm_id:
                machine.erase(label)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(vm for _, _, vm in self._lent() if vm.cluster == cluster)

    def reboot_vm(self, vm_id: str) -> None:
        self._machine(vm_id).reset()

    def open_shell(self, vm: Vm) -> Shell:
        return self._machine(vm.id).shell()

    def _lent(self) -> list[tuple[Machine, str, Vm]]:
        return [(each, label, _vm(each, label)) for each in self._machines if (label := each.label)]

    def _machine(self, vm_id: str) -> Machine:
        for machine, _, vm in self._lent():
            if vm.id == vm_id:
                return machine
        raise NotFound(f"no machine of the rack is lent as {vm_id!r}")

    def _lend(self, request: VmRequest) -> tuple[Machine, str]:
        for machine, label, vm in self._lent():
            if (vm.cluster, vm.token) == (request.cluster, request.token):
                return machine, label  # the answer to the first request got lost
        slot, cluster = request.instance, asdict(request.cluster)
        told = {"instance": slot.id, "az": slot.az, "cluster": cluster, "token": request.token, "tags": request.tags}
        label = json.dumps({"id": uuid.uuid4().hex, **told})
        for machine in self._machines:
            if machine.zone == slot.az and machine.claim(label):
                return machine, label
        raise QuotaExceeded(f"zone {slot.az!r} of the rack has no free machine; add some or delete clusters")


def _vm(machine: Machine, label: str) -> Vm:
    told = json.loads(label)
    told |= {"cluster": ClusterId(**told["cluster"]), "tags": tuple((key, value) for key, value in told["tags"])}
    return Vm(**told, state=machine.state, address=machine.address, provider_id=f"rack://{told['id']}")


@hookimpl
def kubo_cpi_providers() -> tuple[CpiProvider, ...]:
    return (CpiProvider(name="rack", summary="a rack", config=RackConfig, connect=Rack, capabilities=("zones",)),)
