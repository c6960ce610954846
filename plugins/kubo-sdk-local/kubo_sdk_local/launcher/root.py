"""The file system of one machine, as it is put together in the machine's own mount namespace."""

from __future__ import annotations

import os
import stat

from kubo_sdk_local import cgroups
from kubo_sdk_local.syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SHARED,
    bind,
    mount,
    pivot_root,
    unmount,
)

TYPE_CHECKING = False  # As in typing, which takes longer to import than all the rest.
if TYPE_CHECKING:
    from typing import Any

_DEVICES = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("net/tun", 10, 200),
)
_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    ("kmsg", "null"),
    ("console", "null"),
)
_PLAIN = MS_NOSUID | MS_NODEV | MS_NOEXEC


def enter(request: dict[str, Any], found: cgroups.Hierarchies) -> None:
    """Mount everything and make it the root of this process."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)
    top = request["root"]
    layers = f"lowerdir={request['lower']},upperdir={request['upper']},workdir={request['work']},index=off"
    mount("overlay", top, "overlay", 0, layers)
    _mount_proc(f"{top}/proc", request["settings"])
    _mount_sys(f"{top}/sys", found)
    _mount_dev(f"{top}/dev")
    mount("tmpfs", f"{top}/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    os.mkdir(f"{top}/run/lock", 0o755)
    mount("tmpfs", f"{top}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")  # noqa: S108
    for source, target in request["binds"]:
        os.makedirs(top + target, exist_ok=True)
        bind(source, top + target)
    for source, target in request["trees"]:
        os.makedirs(top + target, exist_ok=True)
        bind(source, top + target, read_only=True)
    os.chdir(top)
    pivot_root(".", ".")
    unmount(".")
    os.chdir("/")
    # Pods' volumes must spread from the kubelet to the container runtime.
    mount("", "/", flags=MS_REC | MS_SHARED)


def _mount_proc(proc: str, settings: list[tuple[str, str]]) -> None:
    """Kernel settings are read-only but for the machine's own network.

    *settings* are (file, name below /proc/sys) pairs: plain files that stand in for settings which reach the host.
    """
    mount("proc", proc, "proc", _PLAIN)
    mount(f"{proc}/sys", f"{proc}/sys", flags=MS_BIND)
    mount("", f"{proc}/sys", flags=MS_BIND | MS_REMOUNT | MS_RDONLY | _PLAIN)
    mount(f"{proc}/sys/net", f"{proc}/sys/net", flags=MS_BIND)
    mount("", f"{proc}/sys/net", flags=MS_BIND | MS_REMOUNT | _PLAIN)
    for source, name in settings:
        if os.path.exists(f"{proc}/sys/{name}"):
            bind(source, f"{proc}/sys/{name}")
    if os.path.exists(f"{proc}/sysrq-trigger"):
        bind(f"{proc}/sysrq-trigger", f"{proc}/sysrq-trigger", read_only=True)


def _mount_sys(sys: str, found: cgroups.Hierarchies) -> None:
    mount("sysfs", sys, "sysfs", _PLAIN)
    mount("", sys, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | _PLAIN)
    top = f"{sys}/fs/cgroup"
    if cgroups.version(found) == "v2":
        mount("cgroup2", top, "cgroup2", _PLAIN)
        return
    mount("tmpfs", top, "tmpfs", _PLAIN, "mode=755")
    for _, controllers in found:
        name = controllers.removeprefix("name=") or "unified"
        os.mkdir(f"{top}/{name}")
        if controllers:
            mount("cgroup", f"{top}/{name}", "cgroup", _PLAIN, controllers)
        else:
            mount("cgroup2", f"{top}/{name}", "cgroup2", _PLAIN)
        for single in name.split(",") if "," in name else ():
            os.symlink(name, f"{top}/{single}")


def _mount_dev(dev: str) -> None:
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=1m")
    os.umask(0)
    os.mkdir(f"{dev}/net", 0o755)
    for name, major, minor in _DEVICES:
        os.mknod(f"{dev}/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))
    os.umask(0o022)
    for name, target in _LINKS:
        os.symlink(target, f"{dev}/{name}")
    for name, kind, options in (
        ("pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5"),
        ("shm", "tmpfs", "mode=1777"),
        ("mqueue", "mqueue", ""),
    ):
        os.mkdir(f"{dev}/{name}")
        mount(kind, f"{dev}/{name}", kind, MS_NOSUID | MS_NODEV, options)
