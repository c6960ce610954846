"""Starts one machine: a process in namespaces of its own that becomes systemd.

The order makes a death at any moment harmless.  The child waits until its parent has put it into the machine's cgroups
and written down who it is; until it becomes systemd it dies with its parent.  The parent holds the machine's lock,
which it got from the SDK as an open file, so nobody touches a machine that a launcher still works on.
"""

from __future__ import annotations

import marshal
import os
import resource
import sys

from kubo_sdk_local import cgroups, processes, syscalls
from kubo_sdk_local.launcher import root
from kubo_sdk_local.netlink import Netlink

TYPE_CHECKING = False  # As in typing, which takes longer to import than all the rest.
if TYPE_CHECKING:
    from typing import Any

_NAMESPACES = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWCGROUP
)
_ENVIRONMENT = {"container": "kubo", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
# What would reach past the machine: kernel modules, raw I/O, the host's clock.
_GIVEN_UP = (16, 17, 25)
_OPEN_FILES = 1 << 20
# Where clouds keep their metadata.  An old kubelet looks there at its start, and without this waits 11 s for nobody.
_LINK_LOCAL = b"\xa9\xfe\0\0"

_SIGKILL = 9
_READY = b"+"
# The two that Python ignores and passes on.
_SIGPIPE, _SIGXFSZ = 13, 25


def main() -> None:
    # marshal, because the writer is the same interpreter and importing json takes as long as starting a machine.
    request: dict[str, Any] = marshal.loads(sys.stdin.buffer.read())  # noqa: S302
    os.set_inheritable(request["lock"], False)
    os.umask(0o022)
    try:
        _start(request)
    except OSError as error:
        sys.exit(syscalls.described(error))


def _start(request: dict[str, Any]) -> None:
    found = cgroups.hierarchies()
    cgroups.create(found, request["cgroup"], cpus=request["cpus"], memory_mb=request["memory_mb"])
    go_read, go_write = os.pipe()
    said_read, said_write = os.pipe()
    with Netlink() as host:
        host.delete_link(request["veth"])
        syscalls.unshare(syscalls.CLONE_NEWPID)
        pid = os.fork()
        if pid == 0:
            os.close(go_write)
            _become_machine(request, found, host, go_read, said_write)
    os.close(said_write)
    try:
        cgroups.join(found, f"{request['cgroup']}/{cgroups.MACHINE}", pid)
        processes.record(request["init"], pid)
        os.write(go_write, b"!")
        _check(_read_all(said_read))
    except BaseException:
        os.kill(pid, _SIGKILL)
        os.waitpid(pid, 0)
        raise


def _check(said: bytes) -> None:
    if said != _READY:
        raise OSError(0, said.removeprefix(_READY).decode() or "it was killed before systemd took over")


def _become_machine(request: dict[str, Any], found: cgroups.Hierarchies, host: Netlink, go: int, said: int) -> None:
    """Runs in the child and does not return.

    It says on the pipe *said* that all is ready, or what went wrong; the pipe closes when systemd takes over.
    """
    try:
        syscalls.die_with_parent(_SIGKILL)
        if not os.read(go, 1):
            os._exit(1)
        os.setsid()
        syscalls.unshare(_NAMESPACES)
        syscalls.set_hostname(request["hostname"])
        _connect(request, host)
        root.enter(request, found)
        _shed()
        os.write(said, _READY)
        os.execve("/sbin/init", ["/sbin/init"], _ENVIRONMENT)  # noqa: S606
    except OSError as error:
        os.write(said, syscalls.described(error).encode())
    except BaseException as error:
        os.write(said, repr(error).encode())
    os._exit(1)


def _connect(request: dict[str, Any], host: Netlink) -> None:
    """Join the cluster's bridge with eth0.  *host* still speaks to the namespace that was left."""
    bridge = host.get_index(request["bridge"])
    here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    host.add_veth(request["veth"], bridge=bridge, peer="eth0", peer_mac=request["mac"], peer_namespace=here)
    os.close(here)
    with Netlink() as inside:
        inside.set_up(inside.get_index("lo"))
        index = inside.get_index("eth0")
        inside.set_up(index)
        inside.add_address(index, request["address"], request["prefix"])
        inside.add_default_route(request["gateway"], index)
        inside.add_unreachable_route(_LINK_LOCAL, 16)
    for knob in ("ipv4/ip_forward", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"):
        _set_network_knob(knob, "1")
    _set_network_knob("ipv6/conf/all/accept_ra", "0")


def _set_network_knob(knob: str, value: str) -> None:
    """Of this namespace: the kernel looks at who opens the file.  A host without the feature has no such file."""
    try:
        with open(f"/proc/sys/net/{knob}", "w") as file:
            file.write(value)
    except FileNotFoundError:
        return


def _shed() -> None:
    """Drop what systemd must not inherit: streams, handled signals, file limits, capabilities."""
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    for number in (_SIGPIPE, _SIGXFSZ):
        syscalls.restore_signal(number)
    _bound_open_files()
    for capability in _GIVEN_UP:
        syscalls.drop_from_bounding_set(capability)
    syscalls.die_with_parent(0)


def _bound_open_files() -> None:
    """Some daemons walk every file descriptor they may have, and hosts allow a billion."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > _OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 0), 1024) or 1024, _OPEN_FILES))


def _read_all(fd: int) -> bytes:
    data = b""
    while block := os.read(fd, 4096):
        data += block
    return data
