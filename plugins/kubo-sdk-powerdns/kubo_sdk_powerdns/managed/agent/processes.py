"""Finds and ends the daemons beside the agent; systemd starts them again."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def find(program: str, config: str) -> list[int]:
    """The process ids of *program* that run with the configuration directory *config*."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            with contextlib.suppress(OSError):
                words = (directory / "cmdline").read_bytes().split(b"\0")
                if words[0].rpartition(b"/")[2] == program.encode() and f"--config-dir={config}".encode() in words:
                    found.append(int(directory.name))
    return found


def age(pid: int) -> float:
    """For how many seconds the process has run; 0 when it is gone."""
    try:
        started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        now = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return 0.0
    return max(0.0, now - started / TICKS)


def end(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, how)
