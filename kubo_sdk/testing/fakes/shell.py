"""FakeShell: the way onto a fake machine.  A table says what each command means there; a stranger to it is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from kubo_sdk.errors import NotFound, ShellError, Unavailable
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.testing.fakes import commands

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

# How long one tries to enter a machine that cannot be reached, and what a command takes, in virtual seconds.
CONNECT_SECONDS = 3.0
LONGEST_HINT = 10.0

Meaning = Callable[["FakeMachine", list[str], bytes], Outcome]

SCRIPTS: Mapping[str, Meaning] = MappingProxyType(commands.scripts())
PROGRAMS: Mapping[str, Meaning] = MappingProxyType(commands.programs())


class FakeShell:
    """Commands of one machine.  A script the core owns is known by its text, every other command by its program."""

    port = "shell"

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        faults = self._machine.cloud.faults
        return faults.around("shell.run", self._machine.instance.id, lambda: self._run(list(command), stdin, timeout))

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* without a terminal."""
        return self.run(command).exit_code

    def _run(self, command: list[str], stdin: bytes, timeout: float) -> Outcome:
        self._enter(timeout)
        meaning, arguments = _meaning(command)
        cloud = self._machine.cloud
        with cloud.lock:
            cloud.settle()
            return meaning(self._machine, arguments, stdin)

    def _enter(self, timeout: float) -> None:
        machine, clock = self._machine, self._machine.cloud.clock
        who = machine.instance.id
        if machine.is_gone:
            raise NotFound(f"the machine {machine.id} of {who} is gone")
        if machine.power is not machine.power.RUNNING:
            raise Unavailable(f"the machine of {who} is stopped; start it")
        if not machine.is_up:
            left = machine.booted_at - clock.time
            raise Unavailable(f"the machine of {who} is still booting", retry_after=min(max(left, 0.25), LONGEST_HINT))
        if machine.is_cut_off and not machine.has_console:
            clock.lapse(min(timeout, CONNECT_SECONDS))
            raise Unavailable(f"the machine of {who} cannot be reached; look at its network")
        if machine.is_hung:
            clock.lapse(timeout)
            raise Unavailable(f"the machine of {who} did not answer within {timeout:g} s; reboot it")


def _meaning(command: list[str]) -> tuple[Meaning, list[str]]:
    """What a command does here, and its arguments: those after ``sh -c SCRIPT NAME`` for a script."""
    if command[:2] in (["sh", "-c"], ["/bin/sh", "-c"]) and len(command) > 2:
        script = SCRIPTS.get(command[2])
        if script is not None:
            return script, command[4:]
    else:
        program = PROGRAMS.get(command[0].rpartition("/")[2]) if command else None
        if program is not None:
            return program, command[1:]
    shown = " ".join(command)
    raise ShellError(
        f"the fake machines do not know the command {shown[:200]!r}; teach it to testing/fakes/commands.py"
    )


_: type[Shell] = FakeShell
