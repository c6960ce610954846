"""ClaimedShell: the way onto a machine for as long as it is claimed; afterwards it leads nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from kubo_sdk.errors import NotFound
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk_static.scripts import GUARD, LOST


@frozen(kw_only=True)
class ClaimedShell:
    """Runs commands on the machine with the claim *vm_id*.  ``is_claimed`` asks whether it still has it."""

    shell: Shell
    vm_id: str
    is_claimed: Callable[[], bool]

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end; see `kubo_sdk.ports.shell.Shell`."""
        outcome = self.shell.run(self._guarded(command), stdin=stdin, timeout=timeout)
        self._check(outcome.exit_code)
        return outcome

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        code = self.shell.interact(self._guarded(command))
        self._check(code)
        return code

    def _guarded(self, command: Sequence[str]) -> tuple[str, ...]:
        return ("sh", "-c", GUARD, "sh", self.vm_id, *command)

    def _check(self, code: int) -> None:
        """A command may end with that code of its own accord."""
        if code == LOST and not self.is_claimed():
            raise NotFound(f"machine {self.vm_id} is gone: it was given back")
