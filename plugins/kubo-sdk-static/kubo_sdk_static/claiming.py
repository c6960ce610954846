"""Claiming: what is done to one machine: claim it, settle the claim, remember others, restart it, give it back."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from attrs import frozen

from kubo_sdk.errors import Conflict, NotFound, ProviderError, ShellError, Unavailable
from kubo_sdk.ports.shell import Outcome
from kubo_sdk_static.claims import Claim, Look, parse_look, read_claim
from kubo_sdk_static.machines_file import Machine, MachinesFile
from kubo_sdk_static.release_script import RELEASE
from kubo_sdk_static.scripts import BUSY, CLAIM, LOST, NOTE, RECALL, RESTART, SETTLE, TAKEN, USED
from kubo_sdk_static.survey import Reach, named

log = logging.getLogger(__name__)

CLAIM_SECONDS = 120.0
NOTE_SECONDS = 20.0
RELEASE_SECONDS = 300.0


@frozen
class Claiming:
    """The programs of `scripts` and `release_script`, run on machines that *reach* opens a shell to."""

    file: MachinesFile
    reach: Reach

    def claim(self, machine: Machine, claim: Claim) -> Look:
        """Take the machine; how it is then.  Its claim is another one when somebody was faster."""
        outcome = self._run(machine, CLAIM, claim.id, stdin=_line(claim.record()), timeout=CLAIM_SECONDS)
        if outcome.exit_code not in (TAKEN, USED):
            self._check(outcome, machine, "claiming it")
        return parse_look(outcome.stdout.decode(errors="replace"))

    def settle(self, machine: Machine, claim: Claim, known: Iterable[Claim]) -> bool:
        """Make the claim final, and have the machine remember the claims *known*.  False: it has that claim no more."""
        told = "".join(f"{other.machine} {other.record()}\n" for other in known)
        outcome = self._run(machine, SETTLE, claim.id, stdin=told.encode(), timeout=CLAIM_SECONDS)
        if outcome.exit_code == LOST:
            return False
        self._check(outcome, machine, "settling its claim")
        return True

    def remember(self, holder: Claim, about: Claim) -> None:
        """Have the machine of *holder* remember another one's claim."""
        self._note(holder, about.machine, _line(about.record()))

    def forget(self, holder: Claim, about: Claim) -> None:
        """Undo `remember`."""
        self._note(holder, about.machine, b"")

    def _note(self, holder: Claim, name: str, record: bytes) -> None:
        machine = self.file.find(holder.machine)
        if machine is not None:
            outcome = self._run(machine, NOTE, holder.id, name, stdin=record, timeout=NOTE_SECONDS)
            self._check(outcome, machine, f"writing down who has {name}")

    def recall(self, machine: Machine, names: Iterable[str]) -> tuple[Claim, ...]:
        """The claims of the machines *names* as this one remembers them."""
        outcome = self._run(machine, RECALL, *names, timeout=NOTE_SECONDS)
        self._check(outcome, machine, "asking who has the machines that do not answer")
        found = []
        for line in outcome.stdout.decode(errors="replace").splitlines():
            try:
                found.append(read_claim(line.partition(" ")[2]))
            except Conflict as error:
                log.warning("machine %s: %s", machine.name, error)
        return tuple(found)

    def restart(self, machine: Machine, vm_id: str) -> None:
        """Have the machine start anew.  It may be gone before it can answer."""
        try:
            outcome = self._run(machine, RESTART, vm_id, timeout=NOTE_SECONDS)
        except Unavailable as error:
            log.debug("machine %s restarts: %s", machine.name, error)
            return
        if outcome.exit_code == LOST:
            raise NotFound(f"there is no machine {vm_id}")

    def release(self, machine: Machine, vm_id: str, *, unsettled: bool = False) -> bool:
        """Give the machine back as it was; nothing happens when it has another claim.

        With *unsettled* only when its claim was never settled; False tells that it was.
        """
        more = ("unsettled",) if unsettled else ()
        outcome = self._run(machine, RELEASE, vm_id, *more, timeout=RELEASE_SECONDS)
        if outcome.exit_code == TAKEN:
            return False
        self._check(outcome, machine, "giving it back")
        return True

    def _run(self, machine: Machine, script: str, *arguments: str, stdin: bytes = b"", timeout: float) -> Outcome:
        try:
            return self.reach(machine).run(["sh", "-c", script, "sh", *arguments], stdin=stdin, timeout=timeout)
        except ProviderError as error:
            raise named(error, machine) from error

    def _check(self, outcome: Outcome, machine: Machine, what: str) -> None:
        lines = outcome.stderr.decode(errors="replace").strip().splitlines() or ["it says no reason"]
        if outcome.exit_code == BUSY:
            raise Unavailable(f"machine {machine.name}: {what} failed: {lines[-1]}; try again")
        if outcome.exit_code:
            raise ShellError(f"machine {machine.name}: {what} failed with exit code {outcome.exit_code}: {lines[-1]}")


def _line(text: str) -> bytes:
    return f"{text}\n".encode()
