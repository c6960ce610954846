"""The cgroups of one machine, on version 1, hybrid and version 2 hosts.  Standard library only: launchers import it.

A machine has two cgroups below one that carries its limits, so nothing inside can lift them::

    kubo/<cluster>/<machine>           limits
    kubo/<cluster>/<machine>/machine   what systemd inside sees as its root
    kubo/<cluster>/<machine>/shell     processes that entered from outside

On a version 1 or hybrid host these exist once in every hierarchy.  Paths start at the root of each hierarchy as this
process sees it mounted, wherever its own cgroup is.
"""

from __future__ import annotations

import os

MACHINE = "machine"
SHELL = "shell"
PARENT = "kubo"
_WANTED_V2 = ("cpu", "cpuset", "io", "memory", "pids")
_PERIOD = 100_000

Hierarchies = tuple[tuple[str, str], ...]


def hierarchies(mounts: str = "/proc/self/mounts") -> Hierarchies:
    """Where each hierarchy is mounted, with its mount options: ``(path, "cpu,cpuacct")``; version 2 has ``""``."""
    found: dict[str, str] = {}
    with open(mounts) as lines:
        for line in lines:
            _, path, kind, options = line.split(" ")[:4]
            if kind == "cgroup2":
                found.setdefault("", path)
            elif kind == "cgroup":
                found.setdefault(_controllers(options), path)
    return tuple((path, controllers) for controllers, path in found.items())


def _controllers(options: str) -> str:
    generic = {"rw", "ro", "nosuid", "nodev", "noexec", "relatime", "noatime", "xattr", "clone_children", "noprefix"}
    return ",".join(
        option for option in options.split(",") if option not in generic and not option.startswith("release_agent")
    )


def controllers(found: Hierarchies) -> tuple[str, ...]:
    """Every controller there is, and on version 1 every named hierarchy."""
    names: list[str] = []
    for top, listed in found:
        names += [name for name in listed.split(",") if name] or _read(f"{top}/cgroup.controllers").split()
    return tuple(names)


def version(found: Hierarchies) -> str:
    """``v2`` where one unified hierarchy is all there is, else ``v1``."""
    return "v2" if [controllers for _, controllers in found] == [""] else "v1"


def create(found: Hierarchies, path: str, *, cpus: int = 0, memory_mb: int = 0) -> None:
    """Make the cgroups of the machine *path* with its limits; zero means none."""
    for top, controllers in found:
        unified = version(found) == "v2"
        _make_chain(top, path, controllers, unified)
        if unified:
            _limit_v2(f"{top}/{path}", cpus, memory_mb)
        else:
            _limit_v1(f"{top}/{path}", controllers.split(","), cpus, memory_mb)


def _make_chain(top: str, path: str, controllers: str, unified: bool) -> None:
    level = top
    for name in path.split("/"):
        if unified:
            _enable_controllers(level)
        level = f"{level}/{name}"
        _make(level, controllers)
    if unified:
        _enable_controllers(level)
    for leaf in (MACHINE, SHELL):
        _make(f"{level}/{leaf}", controllers)


def _make(level: str, controllers: str) -> None:
    if not os.path.isdir(level):
        os.makedirs(level, exist_ok=True)
    if "cpuset" in controllers.split(","):
        # A new cpuset is empty, and nothing may run in an empty one.
        for knob in ("cpuset.cpus", "cpuset.mems"):
            if not _read(f"{level}/{knob}"):
                _write(f"{level}/{knob}", _read(f"{os.path.dirname(level)}/{knob}"))
        _write(f"{level}/cgroup.clone_children", "1")


def _enable_controllers(level: str) -> None:
    there = _read(f"{level}/cgroup.controllers").split()
    enabled = _read(f"{level}/cgroup.subtree_control").split()
    for name in _WANTED_V2:
        if name in there and name not in enabled:
            _write(f"{level}/cgroup.subtree_control", f"+{name}")


def _limit_v1(level: str, controllers: list[str], cpus: int, memory_mb: int) -> None:
    if "cpu" in controllers and cpus:
        _write(f"{level}/cpu.cfs_period_us", str(_PERIOD))
        _write(f"{level}/cpu.cfs_quota_us", str(cpus * _PERIOD))
    if "memory" in controllers and memory_mb:
        _write(f"{level}/memory.limit_in_bytes", str(memory_mb << 20))


def _limit_v2(level: str, cpus: int, memory_mb: int) -> None:
    if cpus:
        _write(f"{level}/cpu.max", f"{cpus * _PERIOD} {_PERIOD}")
    if memory_mb:
        _write(f"{level}/memory.max", str(memory_mb << 20))


def join(found: Hierarchies, path: str, pid: int) -> None:
    """Move the process *pid* into *path* in every hierarchy."""
    for top, _ in found:
        _write(f"{top}/{path}/cgroup.procs", str(pid))


def joining_files(found: Hierarchies, path: str) -> tuple[str, ...]:
    """The files a process writes ``0`` to in order to join *path*."""
    return tuple(f"{top}/{path}/cgroup.procs" for top, _ in found)


def remove(found: Hierarchies, path: str) -> bool:
    """Remove *path* and all below it in every hierarchy; False when something in it still runs."""
    gone = [_remove_tree(f"{top}/{path}") for top, _ in found]
    return all(gone)


def _remove_tree(level: str) -> bool:
    for directory, _, _ in os.walk(level, topdown=False):
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def remove_if_empty(found: Hierarchies, path: str) -> None:
    """Remove the single cgroup *path* where nothing is left below it."""
    for top, _ in found:
        try:
            os.rmdir(f"{top}/{path}")
        except OSError:
            continue


def processes(found: Hierarchies, path: str) -> tuple[int, ...]:
    """Every process in *path* or below, in any hierarchy."""
    pids: set[int] = set()
    for top, _ in found:
        for directory, _, _ in os.walk(f"{top}/{path}"):
            try:
                pids.update(int(pid) for pid in _read(f"{directory}/cgroup.procs").split())
            except OSError:
                continue
    return tuple(sorted(pids - {0}))


def cpu_seconds(found: Hierarchies, path: str) -> float:
    """The CPU time the machine *path* has used so far, in seconds."""
    for top, controllers in found:
        if "cpuacct" in controllers.split(","):
            return int(_read(f"{top}/{path}/cpuacct.usage")) / 1e9
        if version(found) == "v2":
            return int(_read(f"{top}/{path}/cpu.stat").split()[1]) / 1e6
    return 0.0


def _read(path: str) -> str:
    with open(path) as file:
        return file.read().strip()


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
