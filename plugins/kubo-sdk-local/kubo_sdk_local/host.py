"""Whether this host can carry machines: one sentence for each thing that is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from kubo_sdk.errors import KuboError
from kubo_sdk_local import cgroups
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.launch import launch
from kubo_sdk_local.stemcell import Stemcell

_GIB = 1 << 30
_ROOM = 2 * _GIB
_PROGRAMS = (("nsenter", "util-linux"), ("chroot", "coreutils"), ("rm", "coreutils"), ("sh", "dash"))
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


def problems(config: LocalConfig) -> list[str]:
    """Everything that keeps this host from carrying machines; nothing is changed but modules that get loaded."""
    present = Stemcell.of(config).is_present()
    if os.geteuid() != 0:
        return ["machines on this host need root; run it with sudo"]
    return [
        *_missing_programs(present),
        *_cgroup_problems(),
        *_module_problems(),
        *_room_problems(config.state, "root"),
        *([] if present else _room_problems(config.stemcells, "cache")),
        *_kernel_problems(config.state),
    ]


def _missing_programs(present: bool) -> list[str]:
    wanted = [*_PROGRAMS]
    if not present:
        wanted.append(("mmdebstrap", "mmdebstrap"))
    return [
        f"the program {program!r} is missing; run: apt-get install {package}"
        for program, package in wanted
        if shutil.which(program) is None
    ]


def _cgroup_problems() -> list[str]:
    found = cgroups.hierarchies()
    if not found:
        return ["no cgroup hierarchy is mounted; mount one at /sys/fs/cgroup"]
    there = cgroups.controllers(found)
    lacking = [name for name in _CONTROLLERS if name not in there]
    problems = []
    if lacking:
        problems.append(f"cgroups lack the controllers {', '.join(lacking)}; enable them in the kernel")
    if cgroups.version(found) == "v1" and "name=systemd" not in there:
        problems.append(
            "the cgroup hierarchy of systemd is missing; run: mkdir -p /sys/fs/cgroup/systemd && "
            "mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd"
        )
    if cgroups.version(found) == "v2" and _is_crowded(Path(found[0][0])):
        problems.append(
            f"processes in {found[0][0]} itself keep its controllers from machines; move them into a cgroup below it"
        )
    problems += [f"the cgroup hierarchy {top} is read-only; remount it" for top, _ in found if not _writable(top)]
    return problems


def _is_crowded(top: Path) -> bool:
    """Whether this is a container's topmost cgroup: unlike the host's own it hands nothing on while it is lived in."""
    enabled = (top / "cgroup.subtree_control").read_text().split()
    inner = (top / "cgroup.type").exists() and bool((top / "cgroup.procs").read_text())
    return inner and not set(_CONTROLLERS) <= set(enabled)


def _writable(top: str) -> bool:
    return not os.statvfs(top).f_flag & os.ST_RDONLY


def _module_problems() -> list[str]:
    """What no system call loads by itself: without it, services do not reach pods on the same machine."""
    if Path("/proc/sys/net/bridge").is_dir():
        return []
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    if Path("/proc/sys/net/bridge").is_dir():
        return []
    return ["the kernel module br_netfilter is missing; run: modprobe br_netfilter"]


def _room_problems(directory: Path, option: str) -> list[str]:
    there = nearest(directory)
    free = shutil.disk_usage(there).free
    problems = []
    if free < _ROOM:
        problems.append(
            f"{there} has {free / _GIB:.1f} GiB free and needs {_ROOM // _GIB}; "
            f"make room or set the cpi's option {option!r} to another place"
        )
    if os.statvfs(there).f_flag & os.ST_NOEXEC:
        problems.append(f"{there} is mounted noexec; set the cpi's option {option!r} to another place")
    return problems


def _kernel_problems(root: Path) -> list[str]:
    try:
        return launch("probe", {"directory": str(nearest(root))}, what="trying the kernel's features").splitlines()
    except KuboError as error:
        return [str(error)]


def nearest(directory: Path) -> Path:
    """*directory*, or the nearest directory above it that exists."""
    return next(path for path in (directory, *directory.parents) if path.is_dir())
