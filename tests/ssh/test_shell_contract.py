"""The contract of the way onto a machine, kept over SSH: as root, by sudo, and through a jump host."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from attrs import define, evolve, field

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Cpi, CpiInfo, Vm, VmRequest, VmState
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.ssh import SshConnections, SshHost
from kubo_sdk.testing.contracts.cpi_shell import CpiShell

from .machines import SUDOERS, Machine


@define
class SshdCpi:
    """Machines that are an sshd each; it asks nobody but itself whether one is gone, as a CPI asks its cloud."""

    new_machine: Callable[..., Machine]
    connections: SshConnections
    host: Callable[[Machine], SshHost]
    machines: dict[str, tuple[Vm, Machine]] = field(factory=dict)
    numbers: Iterator[int] = field(factory=itertools.count)

    def info(self) -> CpiInfo:
        return CpiInfo()

    def prepare(self, cluster: ClusterId) -> None:
        pass

    def create_vm(self, request: VmRequest) -> Vm:
        machine = self.new_machine()
        vm = Vm(
            id=f"vm-{next(self.numbers)}",
            cluster=request.cluster,
            instance=str(request.instance),
            token=request.token,
            state=VmState.RUNNING,
            address=machine.address,
            az=request.instance.az,
            provider_id="",
        )
        self.machines[vm.id] = (vm, machine)
        return vm

    def delete_vm(self, vm_id: str) -> None:
        found = self.machines.pop(vm_id, None)
        if found is not None:
            found[1].stop()
            self.connections.forget(self.host(found[1]))

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return tuple(vm for vm, _ in self.machines.values() if vm.cluster == cluster)

    def reboot_vm(self, vm_id: str) -> None:
        machine = self.machines[vm_id][1]
        machine.stop()
        machine.start()

    def open_shell(self, vm: Vm) -> Shell:
        return _CpiShell(self, vm)

    def dispose(self, cluster: ClusterId) -> None:
        pass


@define
class _CpiShell:
    cpi: SshdCpi
    vm: Vm

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        if self.vm.id not in self.cpi.machines:
            raise NotFound(f"machine {self.vm.id} is gone")
        host = self.cpi.host(self.cpi.machines[self.vm.id][1])
        return self.cpi.connections.shell(host).run(command, stdin=stdin, timeout=timeout)

    def interact(self, command: Sequence[str]) -> int:
        raise NotImplementedError


class TestAsRoot(CpiShell):
    @pytest.fixture
    def cpi(self, new_machine: Callable[..., Machine], connections: SshConnections) -> Cpi:
        return SshdCpi(new_machine, connections, lambda machine: machine.host())


class TestBySudo(CpiShell):
    @pytest.fixture
    def cpi(self, new_machine: Callable[..., Machine], connections: SshConnections) -> Cpi:
        return SshdCpi(new_machine, connections, lambda machine: machine.host("operator"))


class TestBySudoWithATerminalOfItsOwn(CpiShell):
    """What newer releases of sudo do unless told otherwise."""

    @pytest.fixture
    def cpi(self, new_machine: Callable[..., Machine], connections: SshConnections) -> Cpi:
        def make() -> Machine:
            return new_machine(sudoers="Defaults use_pty\n" + SUDOERS)

        return SshdCpi(make, connections, lambda machine: machine.host("operator"))


class TestThroughAJumpHost(CpiShell):
    @pytest.fixture
    def cpi(self, machine: Machine, new_machine: Callable[..., Machine], connections: SshConnections) -> Cpi:
        jump = machine.host("operator")
        return SshdCpi(new_machine, connections, lambda machine: evolve(machine.host(), jump=jump))
