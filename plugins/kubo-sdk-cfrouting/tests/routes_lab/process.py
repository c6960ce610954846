"""Programs that run for a test, and waiting for what they do."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(probe: Callable[[], T], what: str, timeout: float = 60.0) -> T:
    """Poll *probe* until it returns something true."""
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout:g} s")
        time.sleep(0.02)
    return found


def start(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Output is appended to *log*."""
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, env=env)


def stop(process: subprocess.Popen[bytes] | None, how: signal.Signals = signal.SIGKILL) -> int:
    """Signal the process and wait for its end; the exit code."""
    if process is None:
        return 0
    if process.poll() is None:
        process.send_signal(how)
    return process.wait(timeout=60)


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that nobody has just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = tuple(int(one.getsockname()[1]) for one in sockets)
    for one in sockets:
        one.close()
    return ports
