"""SshShell: the `Shell` of one machine that is reached over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.ssh.host import SshHost

if TYPE_CHECKING:
    from kubo_sdk.ssh.connections import SshConnections


@frozen
class SshShell:
    """Runs commands as root on one machine.  Costs nothing until the first one."""

    connections: SshConnections
    host: SshHost

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end; see `kubo_sdk.ports.shell.Shell`.

        It runs in ``/`` with a plain environment; one that a signal ended has 128 and its number as exit code.  At the
        end of *timeout*, and when the connection is lost, all of its process group is killed.  Raises AuthError when
        the machine shows another host key, refuses the key, or lets the user run nothing as root.
        """
        return self.connections.loop().call(lambda pool: pool.run(self.host, command, stdin, timeout))

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        loop = self.connections.loop()
        from kubo_sdk.ssh.terminal import interact  # noqa: PLC0415 - brings asyncssh

        return interact(loop, self.host, command)


_: type[Shell] = SshShell
