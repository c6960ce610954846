"""StaticCpi: the port's methods over machines that exist already."""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Cpi, CpiInfo, Vm, VmRequest, VmState
from kubo_sdk.ports.shell import Shell
from kubo_sdk_static.claiming import Claiming
from kubo_sdk_static.claims import Phase, machine_of
from kubo_sdk_static.creation import Creation
from kubo_sdk_static.machines_file import Machine, MachinesFile
from kubo_sdk_static.roll import Roll
from kubo_sdk_static.shell import ClaimedShell
from kubo_sdk_static.survey import Reach, Survey

log = logging.getLogger(__name__)

_STATES = {Phase.SETTLED: VmState.RUNNING, Phase.CLAIMED: VmState.STARTING, Phase.RELEASING: VmState.STARTING}


@frozen
class StaticCpi:
    """The machines of one file.  ``boot_timeout``: seconds one may take to restart."""

    file: MachinesFile
    reach: Reach
    survey: Survey
    roll: Roll
    claiming: Claiming
    creation: Creation
    boot_timeout: float
    restart_on_release: bool

    def info(self) -> CpiInfo:
        return CpiInfo(zones=True, stock_images=True)

    def prepare(self, cluster: ClusterId) -> None:
        """Nothing is shared.  What somebody gave up and is back now is given back first: its slot has another one."""
        census = self.roll.read(cluster)
        settled = [claim for claim, phase in census.present if phase is Phase.SETTLED]
        latest = {claim.token: claim for claim in settled}
        for claim in settled:
            if latest[claim.token] != claim:
                log.warning("machine %s is given back: %s has another one by now", claim.machine, claim.instance)
                self.delete_vm(claim.id)

    def create_vm(self, request: VmRequest) -> Vm:
        return self.creation.create(request)

    def delete_vm(self, vm_id: str) -> None:
        machine = self.file.find(machine_of(vm_id))
        if machine is None:
            return
        self.claiming.release(machine, vm_id)
        if self.restart_on_release:
            self._restart_free(machine)
        self.roll.tidy_after(vm_id, machine.name)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        census = self.roll.read(cluster)
        present = (claim.vm(_STATES[phase]) for claim, phase in census.present)
        return (*(claim.vm(VmState.UNKNOWN) for claim in census.silent), *present)

    def reboot_vm(self, vm_id: str) -> None:
        machine = self._claimed(vm_id)
        before = self.survey.look_at(machine).mark
        self.claiming.restart(machine, vm_id)
        self._await_restart(machine, before)

    def open_shell(self, vm: Vm) -> Shell:
        machine = self.file.find(machine_of(vm.id))
        if machine is None:
            raise NotFound(f"machine {vm.id} is gone: {self.file.path} does not list it")
        return ClaimedShell(shell=self.reach(machine), vm_id=vm.id, is_claimed=self._asks(machine, vm.id))

    def dispose(self, cluster: ClusterId) -> None:
        """Nothing is shared."""

    def _claimed(self, vm_id: str) -> Machine:
        machine = self.file.find(machine_of(vm_id))
        if machine is None or not self._asks(machine, vm_id)():
            raise NotFound(f"there is no machine {vm_id}")
        return machine

    def _asks(self, machine: Machine, vm_id: str) -> Callable[[], bool]:
        def is_claimed() -> bool:
            look = self.survey.look_at(machine)
            return look.claim is not None and look.claim.id == vm_id and look.phase is not Phase.RELEASING

        return is_claimed

    def _restart_free(self, machine: Machine) -> None:
        before = self.survey.look_at(machine)
        if before.claim is None:
            self.claiming.restart(machine, "-")
            self._await_restart(machine, before.mark)

    def _await_restart(self, machine: Machine, before: str) -> None:
        def started() -> bool | None:
            try:
                return True if self.survey.look_at(machine).mark != before else None
            except Conflict:
                raise
            except ProviderError as error:
                raise Unavailable(str(error)) from error

        wait_until(started, what=f"the restart of machine {machine.name}", timeout=self.boot_timeout)


_: Callable[..., Cpi] = StaticCpi
