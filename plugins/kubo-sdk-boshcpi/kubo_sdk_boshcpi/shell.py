"""CommandShell: runs commands on a machine through a program of the user's, such as ssh."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen

from kubo_sdk.errors import HostError, NotFound, Unavailable
from kubo_sdk.ports.shell import Outcome
from kubo_sdk_boshcpi.executable import end_group


def fill(template: Sequence[str], address: str, vm_cid: str) -> list[str]:
    """The argv of *template* with its placeholders filled in."""
    return [part.replace("{address}", address).replace("{vm_cid}", vm_cid) for part in template]


@frozen(kw_only=True)
class CommandShell:
    """Runs commands as root in one machine.

    ``template`` gets the command as one argument, quoted for a POSIX shell, which is how ssh passes it on.  An exit
    code of ``unreachable`` means that the machine was not reached; ``exists`` then tells whether it is there at all.
    """

    template: tuple[str, ...]
    interactive: tuple[str, ...]
    unreachable: tuple[int, ...]
    environment: Mapping[str, str] = field(repr=False)
    address: str
    vm_cid: str
    instance: str
    exists: Callable[[], bool]

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end; see `kubo_sdk.ports.shell.Shell`."""
        with self._start(self.template, command, piped=True) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout)
            except BaseException as error:
                end_group(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Unavailable(f"{command[0]!r} on {self.instance} did not end within {timeout:g} s") from None
                raise
        if process.returncode in self.unreachable:
            self._refuse(stderr)
        return Outcome(exit_code=process.returncode, stdout=stdout, stderr=stderr)

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        with self._start(self.interactive or self.template, command, piped=False) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue  # The terminal sent it to the command as well, whose business it is.

    def _start(self, template: Sequence[str], command: Sequence[str], *, piped: bool) -> subprocess.Popen[bytes]:
        if not self.address and any("{address}" in part for part in template):
            raise Unavailable(f"the address of {self.instance} is not known yet")
        argv = [*fill(template, self.address, self.vm_cid), shlex.join(command)]
        pipe = subprocess.PIPE if piped else None
        try:
            return subprocess.Popen(
                argv, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(self.environment), start_new_session=piped
            )
        except OSError as error:
            raise HostError(
                f"the shell command {argv[0]!r} cannot be started ({error.strerror}); "
                "install it or correct shell_command"
            ) from error

    def _refuse(self, stderr: bytes) -> None:
        lines = stderr.decode(errors="replace").strip().splitlines() or ["it says no reason"]
        if not self.exists():
            raise NotFound(f"machine {self.instance} ({self.vm_cid}) is gone")
        raise Unavailable(f"machine {self.instance} cannot be entered: {lines[-1]}")
