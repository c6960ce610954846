"""Init processes: which one is a machine's, whether it lives, and how it is ended.  Standard library only.

A process is named by its id, its start time and the boot of the host, so an id that was given out again is never
mistaken for it.
"""

from __future__ import annotations

import os

_START_FIELD = 19
_STATE_FIELD = 0
_FLAGS_FIELD = 6
_PF_EXITING = 0x4


def identity(pid: int) -> str:
    """What `is_alive` recognises the process *pid* by: ``<pid> <start in clock ticks> <boot id>``."""
    return f"{pid} {_stat(pid)[_START_FIELD]} {_boot_id()}"


def pid_of(identity: str) -> int:
    """The process id within an identity."""
    return int(identity.split(" ", 1)[0])


def is_alive(identity: str) -> bool:
    """Whether that very process runs; one that is dying, or dead and waits to be reaped, does not."""
    fields = _find(identity)
    return fields is not None and fields[_STATE_FIELD] not in "ZX" and not int(fields[_FLAGS_FIELD]) & _PF_EXITING


def exists(identity: str) -> bool:
    """Whether that very process is there in any state."""
    return _find(identity) is not None


def _find(identity: str) -> list[str] | None:
    pid, start, boot = identity.split(" ")
    try:
        fields = _stat(int(pid))
    except OSError:
        return None
    return fields if fields[_START_FIELD] == start and boot == _boot_id() else None


def record(path: str, pid: int) -> None:
    """Write the identity of *pid* to *path* in one step."""
    with open(f"{path}.new", "w") as file:
        file.write(identity(pid))
    os.replace(f"{path}.new", path)


def recorded(path: str) -> str | None:
    """The identity in *path*, or None."""
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; the name before it may hold spaces and brackets."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()
