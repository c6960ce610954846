"""Network namespaces with processes in them; everything is gone when the lab closes, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(probe: Callable[[], T], what: str, timeout: float = 15.0) -> T:
    """Poll *probe* until it returns something true."""
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(0.02)
    return found


def with_capabilities(*kept: str) -> list[str]:
    """How to start a program with no other capabilities than the unit on a real machine leaves it."""
    bounds = ",".join(["-all", *(f"+{name}" for name in kept)])
    return ["setpriv", "--no-new-privs", f"--bounding-set={bounds}", f"--inh-caps={bounds}"]


class Place:
    """Where processes run: here, in the namespace of the tests."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def inside(self, command: Sequence[str]) -> list[str]:
        """*command* as it is started from here."""
        return list(command)

    def run(self, *command: str, check: bool = True, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Standard output of *command*."""
        done = subprocess.run(
            self.inside(command),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **(env or {})},
            check=False,
        )
        assert not check or done.returncode == 0, f"{self.inside(command)}: {done.stdout} {done.stderr}"
        return done.stdout

    def succeeds(self, *command: str) -> bool:
        return subprocess.run(self.inside(command), capture_output=True, check=False).returncode == 0

    def start(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """A process that lives no longer than this place; its output is appended to *log*."""
        with log.open("ab") as output:
            process = subprocess.Popen(self.inside(command), stdout=output, stderr=output, start_new_session=True)
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            stop(process, signal.SIGKILL)


class Namespace(Place):
    """A network namespace of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.ip("link", "set", "lo", "up")

    def inside(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def ip(self, *arguments: str) -> str:
        return self.run("ip", *arguments)

    def close(self) -> None:
        super().close()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> int:
    """Signal the process and wait for its end; returns the exit code."""
    if process.poll() is None:
        process.send_signal(how)
    return process.wait(timeout=15)
