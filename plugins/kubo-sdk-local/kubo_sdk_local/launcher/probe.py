"""Tries in namespaces of its own what machines need of the kernel, and prints a line for each thing that fails.

Trying is the only sure way: a feature may be built in, a module that loads on demand, or forbidden.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import partial

from kubo_sdk_local import syscalls
from kubo_sdk_local.netlink import Netlink

TYPE_CHECKING = False  # As in typing, which takes longer to import than all the rest.
if TYPE_CHECKING:
    from collections.abc import Callable

_NAMESPACES = (
    ("mount", syscalls.CLONE_NEWNS),
    ("UTS", syscalls.CLONE_NEWUTS),
    ("IPC", syscalls.CLONE_NEWIPC),
    ("PID", syscalls.CLONE_NEWPID),
    ("network", syscalls.CLONE_NEWNET),
    ("cgroup", syscalls.CLONE_NEWCGROUP),
)


def main() -> None:
    """Probe; ``directory`` is an existing one on the file system that machines will live on."""
    directory: str = marshal.loads(sys.stdin.buffer.read())["directory"]  # noqa: S302
    lacking = [name for name, flag in _NAMESPACES if not _works(partial(syscalls.unshare, flag))]
    if lacking:
        print(f"the kernel gives no {', '.join(lacking)} namespaces; machines are made of them")  # noqa: T201
        return
    syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    with Netlink() as netlink:
        for kind, make in (
            ("bridge", lambda: netlink.add_bridge("probe-bridge", b"\x0a\x4b\0\0\0\x01")),
            ("veth", lambda: _add_veth(netlink)),
            ("vxlan", lambda: netlink.add_vxlan("probe-vxlan", 1)),
        ):
            if not _works(make):
                print(f"the kernel makes no {kind} links; load the module {kind!r}")  # noqa: T201
    if not _works(lambda: _mount_overlay(directory)):
        print(f"overlayfs does not work over the file system of {directory}; choose another root")  # noqa: T201


def _works(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _add_veth(netlink: Netlink) -> None:
    here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    bridge = netlink.get_index("probe-bridge")
    netlink.add_veth("probe-one", bridge=bridge, peer="probe-two", peer_mac=b"\x0a\x4b\0\0\0\x02", peer_namespace=here)


def _mount_overlay(directory: str) -> None:
    top = f"{directory}/.probe-{os.getpid()}"
    parts = [f"{top}/{name}" for name in ("lower", "upper", "work", "root")]
    try:
        for part in parts:
            os.makedirs(part)
        lower, upper, work, root = parts
        syscalls.mount("overlay", root, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work},index=off")
        syscalls.unmount(root)
    finally:
        for current, directories, _ in os.walk(top, topdown=False):
            for name in directories:
                os.rmdir(f"{current}/{name}")
        os.rmdir(top)
