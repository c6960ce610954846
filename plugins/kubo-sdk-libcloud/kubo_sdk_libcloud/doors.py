"""Doors: how each machine is entered: its address, and the host key that its tags promise."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from asyncssh import HostKeyNotVerifiable
from attrs import field, frozen

from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import AuthError, KuboError, NotFound, Unavailable
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.ssh import SshHost
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Cloud, Machine, MachineState
from kubo_sdk_libcloud.config import Reach
from kubo_sdk_libcloud.login import LoginKeys

# Seconds between two questions to the cloud about a machine that cannot be entered.
ASKED_EVERY = 5.0
# Seconds for which a machine that boots may refuse the login: its user is not made yet.
REFUSED_WITHIN = 60.0
ENTRY_SECONDS = 20.0


class Doors:
    """``open_shell`` and ``forget_host``: those of `kubo_sdk.ssh.SshConnections`.

    ``boot_timeout``: seconds until a machine that boots can be entered, tried every ``interval`` seconds.
    """

    def __init__(
        self,
        *,
        cloud: Cloud,
        login: LoginKeys,
        user: str,
        reach: Reach,
        jump: SshHost | None,
        open_shell: Callable[[SshHost], Shell],
        forget_host: Callable[[SshHost], None],
        boot_timeout: float,
        interval: float,
        clock: Clock,
    ) -> None:
        self._cloud, self._login, self._clock = cloud, login, clock
        self._timeout, self._interval = boot_timeout, interval
        self._user, self._reach, self._jump = user, reach, jump
        self._open_shell, self._forget_host = open_shell, forget_host
        self._machines: dict[str, Machine] = {}
        self._asked: dict[str, float] = {}
        self._lock = threading.Lock()

    def shell(self, machine_id: str, name: str) -> Shell:
        """The way onto the machine.  Costs nothing."""
        return CloudShell(doors=self, machine_id=machine_id, name=name)

    def learn(self, machine: Machine) -> None:
        """Remember where the machine is, which the cloud has just told."""
        with self._lock:
            self._machines[machine.id] = machine

    def forget(self, machine_id: str) -> None:
        """The machine goes, or comes back with another address."""
        with self._lock:
            machine = self._machines.pop(machine_id, None)
            self._asked.pop(machine_id, None)
        if machine is not None and self._address(machine):
            with suppress(KuboError):
                self._forget_host(self._host(machine, machine_id))

    def open(self, machine_id: str, name: str) -> Shell:
        """A shell on the machine where it is now.  NotFound when it is gone, Unavailable while it has no address."""
        with self._lock:
            machine = self._machines.get(machine_id)
        if machine is None or not self._address(machine):
            machine = self._ask(machine_id, name)
        if not self._address(machine):
            raise Unavailable(f"machine {name} ({machine_id}) has no {self._reach} address yet", retry_after=2.0)
        return self._open_shell(self._host(machine, name))

    def await_entry(self, machine_id: str, name: str) -> None:
        """Wait until a machine that boots can be entered.  AuthError when it is another one than was made."""
        shell, refused_at = self.shell(machine_id, name), math.inf

        def entered() -> bool | KuboError | None:
            nonlocal refused_at
            try:
                return True if shell.run(["true"], timeout=ENTRY_SECONDS).exit_code == 0 else None
            except NotFound as gone:
                return Unavailable(f"{gone}; it went while it booted", retry_after=2.0)
            except AuthError as error:
                now = self._clock.monotonic()
                refused_at = min(refused_at, now)
                if isinstance(error.__cause__, HostKeyNotVerifiable) or now - refused_at >= REFUSED_WITHIN:
                    return error
                raise Unavailable(str(error)) from error

        what = f"the first command over SSH on {name} ({machine_id})"
        found = wait_until(entered, what=what, timeout=self._timeout, interval=self._interval, clock=self._clock)
        if isinstance(found, KuboError):
            raise found

    def closed(self, machine_id: str, name: str) -> None:
        """The machine could not be entered: NotFound when it is gone.  The cloud is not asked each time."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._asked.get(machine_id, -ASKED_EVERY) < ASKED_EVERY:
                return
            self._asked[machine_id] = now
        self._ask(machine_id, name)

    def _ask(self, machine_id: str, name: str) -> Machine:
        machine = self._cloud.find_machine(machine_id)
        if machine is None or machine.state is MachineState.GONE:
            self.forget(machine_id)
            raise NotFound(f"machine {name} ({machine_id}) is gone")
        self.learn(machine)
        return machine

    def _address(self, machine: Machine) -> str:
        return machine.public_address if self._reach is Reach.PUBLIC else machine.private_address

    def _host(self, machine: Machine, name: str) -> SshHost:
        cluster, host_key = tags.owner(machine.tags), machine.tags.get(tags.HOST_KEY)
        if cluster is None or not host_key:
            raise AuthError(f"machine {name} ({machine.id}) has no host key in its tags to know it by; recreate it")
        return SshHost(
            host=self._address(machine),
            user=self._user,
            key=self._login.get(cluster),
            host_keys=(host_key,),
            jump=self._jump,
            name=name,
        )


@frozen(kw_only=True)
class CloudShell:
    """Runs commands as root on one machine."""

    doors: Doors = field(repr=False)
    machine_id: str
    name: str

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end; see `kubo_sdk.ports.shell.Shell`."""
        shell = self.doors.open(self.machine_id, self.name)
        try:
            return shell.run(command, stdin=stdin, timeout=timeout)
        except Unavailable:
            self.doors.closed(self.machine_id, self.name)
            raise

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        return self.doors.open(self.machine_id, self.name).interact(command)
