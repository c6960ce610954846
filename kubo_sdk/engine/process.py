"""ProcessName: which process did something, so that another one can tell later whether it is still there."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from attrs import frozen


@frozen(kw_only=True)
class ProcessName:
    """``born`` tells a process from a later one with the same number; empty where the system does not say it."""

    user: str
    host: str
    pid: int
    born: str = ""


def this_process() -> ProcessName:
    """The process that asks."""
    pid = os.getpid()
    return ProcessName(user=_user(), host=socket.gethostname(), pid=pid, born=_born(pid))


def is_running(process: ProcessName) -> bool:
    """Whether *process* is still there.  True when it is on another host, where nobody here can look."""
    if process.host != socket.gethostname():
        return True
    try:
        os.kill(process.pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    return process.born == _born(process.pid)


def _born(pid: int) -> str:
    """The boot and the moment in it at which the process began."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        # The name in parentheses may hold anything; the start time is the twentieth word behind it.
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] == "Z" else f"{boot}-{words[19]}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
