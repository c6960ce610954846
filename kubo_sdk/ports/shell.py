"""Shell: how a machine is reached.  The CPI opens it; the core sends files and restarts units through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import field, frozen

from kubo_sdk.errors import ShellError


@frozen(kw_only=True)
class Outcome:
    """What a command left behind."""

    exit_code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)

    def check(self, what: str) -> bytes:
        """Standard output, or ShellError with the last line of standard error when the command failed."""
        if self.exit_code == 0:
            return self.stdout
        lines = self.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise ShellError(f"{what} failed with exit code {self.exit_code}: {lines[-1]}")


class Shell(Protocol):
    """Runs commands as root on one machine."""

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end.  Its arguments, standard input and output arrive unchanged.

        Secrets go through *stdin*, never through *command*.  Raises Unavailable while the machine cannot be entered
        or when *timeout* seconds have passed, NotFound when the machine is gone.  No message shows *stdin*.
        """
        ...

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        ...
