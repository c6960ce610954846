"""LocalShell: entering a machine's namespaces with util-linux's nsenter."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk.ports.shell import Outcome
from kubo_sdk_local import cgroups, processes
from kubo_sdk_local.layout import Layout, Place
from kubo_sdk_local.machines import init_file
from kubo_sdk_local.records import read_machine

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
# The files of the namespaces, each with nsenter's option for it.
_NAMESPACES = (
    ("ns/mnt", "--mount"),
    ("ns/uts", "--uts"),
    ("ns/ipc", "--ipc"),
    ("ns/net", "--net"),
    ("ns/pid", "--pid"),
    ("ns/cgroup", "--cgroup"),
    ("root", "--root"),
)
# Joins the cgroups named before "--", then becomes what follows.
_JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 1; shift; done; shift; exec "$@"'


@frozen
class LocalShell:
    """Runs commands as root in one machine, inside its cgroups."""

    layout: Layout
    place: Place

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
        """Run *command* to its end; see `kubo_sdk.ports.shell.Shell`.

        When *timeout* ends, all of its process group is killed.
        """
        with self._entrance() as (entering, descriptors):
            process = subprocess.Popen(
                [*entering, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                start_new_session=True,
                env=_ENVIRONMENT,
                cwd="/",
            )
        with process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout)
            except BaseException as error:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Unavailable(f"{command[0]!r} on {self.place.leaf} did not end within {timeout:g} s") from None
                raise
        if process.returncode:
            self._identity()  # A machine that died under the command is not the command's failure.
        return Outcome(exit_code=process.returncode, stdout=stdout, stderr=stderr)

    def interact(self, command: Sequence[str]) -> int:
        """Run *command* on the caller's own terminal and return its exit code."""
        environment = {**_ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")}
        with self._entrance() as (entering, descriptors):
            process = subprocess.Popen([*entering, *command], pass_fds=descriptors, env=environment, cwd="/")
        with process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue  # The terminal sent it to the command as well, whose business it is.

    def _identity(self) -> str:
        directory = self.layout.machine(self.place.cluster, self.place.leaf)
        record = read_machine(directory)
        if record is None or record.id != self.place.id:
            raise NotFound(f"machine {self.place.leaf} of cluster {self.place.cluster} is gone")
        init = processes.recorded(str(init_file(directory)))
        if init is None or not processes.is_alive(init):
            raise Unavailable(f"machine {self.place.leaf} of cluster {self.place.cluster} is not running")
        return init

    @contextmanager
    def _entrance(self) -> Iterator[tuple[list[str], tuple[int, ...]]]:
        """The command that enters, and the open namespaces it inherits.

        They are opened first and the machine's init is checked afterwards, so they cannot be another process's.
        """
        with ExitStack() as opened:
            descriptors = []
            top = Path("/proc") / str(processes.pid_of(self._identity()))
            for name, _ in _NAMESPACES:
                try:
                    descriptor = os.open(top / name, os.O_RDONLY | os.O_CLOEXEC)
                except OSError as error:
                    raise Unavailable(f"machine {self.place.leaf} ended while it was entered") from error
                opened.callback(os.close, descriptor)
                descriptors.append(descriptor)
            self._identity()
            options = [
                f"{option}=/proc/self/fd/{descriptor}"
                for (_, option), descriptor in zip(_NAMESPACES, descriptors, strict=True)
            ]
            # The machine's root as nsenter's --wd, which would take a plain path for one of the host.
            options.append(f"--wd=/proc/self/fd/{descriptors[-1]}")
            yield [*self._joining(), "nsenter", *options, "--"], tuple(descriptors)

    def _joining(self) -> list[str]:
        path = f"{self.layout.cgroup(self.place.cluster, self.place.leaf)}/{cgroups.SHELL}"
        return ["sh", "-c", _JOIN, "sh", *cgroups.joining_files(cgroups.hierarchies(), path), "--"]
