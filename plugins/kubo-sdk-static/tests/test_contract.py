"""The static CPI passes the contract of every CPI, with real machines over SSH."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence

import pytest
from attrs import define, field

from kubo_sdk.errors import Unavailable
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.spawn import Spawnable
from kubo_sdk_static.connect import assemble
from kubo_sdk_static.cpi import StaticCpi
from kubo_sdk_static.machines_file import Machine
from kubo_sdk_static.release_script import RELEASE
from kubo_sdk_static.scripts import SETTLE
from kubo_sdk_static.survey import Reach

from .lab import Lab

PROGRAMS = {"create_vm": SETTLE, "delete_vm": RELEASE}


@define
class Trouble:
    """What becomes of the next run of one program: the connection is lost before it, or before its answer."""

    program: str = ""
    before: bool = False

    def take(self, command: Sequence[str]) -> bool:
        if not self.program or self.program not in command:
            return False
        self.program = ""
        return True


@define
class TroubledShell:
    """A shell whose connection may be lost."""

    shell: Shell
    trouble: Trouble

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        hit = self.trouble.take(command)
        outcome = None if hit and self.trouble.before else self.shell.run(command, stdin=stdin, timeout=timeout)
        if hit or outcome is None:
            raise Unavailable("the SSH connection was lost")
        return outcome

    def interact(self, command: Sequence[str]) -> int:
        return self.shell.interact(command)


@define
class TroubledReach:
    reach: Reach
    trouble: Trouble = field(factory=Trouble)

    def __call__(self, machine: Machine) -> Shell:
        return TroubledShell(self.reach(machine), self.trouble)


class TestStaticCpi(CpiContract):
    boot_timeout = 60.0
    concurrent_creates = 8
    killed_moments = 2

    @pytest.fixture
    def reach(self, lab: Lab) -> TroubledReach:
        return TroubledReach(lab.cpi().reach)

    @pytest.fixture
    def cpi(self, lab: Lab, reach: TroubledReach) -> StaticCpi:
        return assemble(lab.config(), lab.cpi().file, reach)

    @pytest.fixture
    def reconnected(self, lab: Lab) -> StaticCpi:
        return lab.cpi()

    @pytest.fixture
    def break_next(self, reach: TroubledReach) -> Callable[[str], None]:
        return lambda method: self._arm(reach.trouble, method, before=True)

    @pytest.fixture
    def lose_answer(self, reach: TroubledReach) -> Callable[[str], None]:
        return lambda method: self._arm(reach.trouble, method, before=False)

    def _arm(self, trouble: Trouble, method: str, *, before: bool) -> None:
        trouble.program, trouble.before = PROGRAMS[method], before

    @pytest.fixture
    def exhaust_quota(self, lab: Lab, cpi: StaticCpi) -> Iterator[Callable[[], None]]:
        """Somebody else comes to use every machine that is free."""
        marks = ["sh", "-c", "mkdir -p /etc/kubernetes && touch /etc/kubernetes/admin.conf"]
        taken: list[str] = []

        def exhaust() -> None:
            for sight in cpi.survey.take():
                if sight.look is not None and sight.look.claim is None:
                    lab.run(sight.machine.name, *marks)
                    taken.append(sight.machine.name)

        yield exhaust
        for name in taken:
            lab.run(name, "rm", "-rf", "/etc/kubernetes")

    @pytest.fixture
    def made_by_hand(self, lab: Lab) -> Iterator[Callable[[], object]]:
        """A machine of the file that runs something already."""
        lab.run("m0", "sh", "-c", "mkdir -p /var/lib/kubelet && touch /var/lib/kubelet/somebody")
        yield lambda: lab.state("m0")
        lab.run("m0", "rm", "/var/lib/kubelet/somebody")

    @pytest.fixture
    def locked_out(self, lab: Lab) -> StaticCpi:
        """With a key that no machine knows."""
        key = lab.home / "strange-key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        path = lab.file(path="strange.yml")
        path.write_text(path.read_text().replace("key_file: key", "key_file: strange-key"))
        return lab.cpi(path)

    @pytest.fixture
    def secrets(self, lab: Lab) -> tuple[str, ...]:
        return tuple(line for line in (lab.home / "key").read_text().splitlines() if "-----" not in line)

    @pytest.fixture
    def spawnable(self, lab: Lab) -> Spawnable:
        return Spawnable(
            provider="static",
            options={"machines": str(lab.file(path="spawned.yml"))},
            state_dir=lab.home / "state",
            cache_dir=lab.home / "cache",
        )
