"""The life of one machine: started, ended, removed.  Each step may be repeated after an interruption anywhere."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from attrs import evolve

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import HostError, Unavailable
from kubo_sdk.ports.cpi import VmState
from kubo_sdk_local import addresses, cgroups, processes, rootfs
from kubo_sdk_local.disks import data_directory
from kubo_sdk_local.launch import launch
from kubo_sdk_local.layout import Layout
from kubo_sdk_local.netlink import Netlink
from kubo_sdk_local.records import MachineRecord, read_cluster, write_machine
from kubo_sdk_local.storage import remove_tree

_DEATH_MS = 30_000
DISK = "/var/lib/kubo/disk"


def init_file(directory: Path) -> Path:
    """Where the identity of a machine's systemd is written."""
    return directory / "init"


def state(directory: Path) -> VmState:
    """RUNNING while its systemd lives, STOPPED once it ended, STARTING when there never was one."""
    init = processes.recorded(str(init_file(directory)))
    if init is None:
        return VmState.STARTING
    return VmState.RUNNING if processes.is_alive(init) else VmState.STOPPED


def start(layout: Layout, record: MachineRecord, lock: int) -> None:
    """Start the machine; the caller holds its lock, open as the file descriptor *lock*."""
    if not Path(record.stemcell, "usr/lib/systemd/systemd").is_file():
        raise HostError(f"the stemcell {record.stemcell} of {record.instance} is gone; delete that machine")
    request = _request(layout, record, lock)
    for source, _ in request["trees"]:
        if not Path(source).is_dir():
            raise HostError(f"{record.instance} is to see {source}, which is not a directory")
    launch("start", request, what=f"starting {record.instance}", keep=(lock,))


def _request(layout: Layout, record: MachineRecord, lock: int) -> dict[str, Any]:
    cluster = read_cluster(layout, record.owner)
    if cluster is None:
        raise HostError(f"cluster {record.owner} is not prepared; prepare it first")
    directory = layout.machine(record.owner, record.slug)
    paths = rootfs.lay_out(directory, record, cluster.nameservers)
    address = IPv4Address(record.address).packed
    disks = [(str(data_directory(layout, disk)), DISK) for disk in record.disks]
    return {
        "lock": lock,
        "init": str(init_file(directory)),
        "lower": record.stemcell,
        "root": str(paths.root),
        "upper": str(paths.upper),
        "work": str(paths.work),
        "settings": list(paths.settings),
        "binds": [*paths.binds, *disks],
        "trees": list(record.trees),
        "hostname": record.slug,
        "bridge": layout.bridge(record.owner),
        "veth": layout.veth(record.owner, record.slug),
        "mac": b"\x0a\x4b" + address,
        "address": address,
        "prefix": cluster.subnet.prefixlen,
        "gateway": IPv4Address(addresses.gateway(cluster.subnet)).packed,
        "cgroup": layout.cgroup(record.owner, record.slug),
        "cpus": record.cpus,
        "memory_mb": record.memory_mb,
    }


def stop(layout: Layout, record: MachineRecord) -> None:
    """Kill every process of the machine and remove its links and cgroups.  Its files stay."""
    directory = layout.machine(record.owner, record.slug)
    init = processes.recorded(str(init_file(directory)))
    if init is not None:
        _kill(init, record.instance)
    with Netlink() as netlink:
        netlink.delete_link(layout.veth(record.owner, record.slug))
    found = cgroups.hierarchies()
    path = layout.cgroup(record.owner, record.slug)
    wait_until(
        lambda: _remove_cgroups(found, path),
        what=f"the end of the last processes of {record.instance}",
        timeout=_DEATH_MS / 1000,
        interval=0.02,
    )


def remove(layout: Layout, record: MachineRecord) -> None:
    """Stop the machine and remove its files, the record last.

    The record says so first: what an interruption leaves is never taken for a machine that can be started.
    """
    directory = layout.machine(record.owner, record.slug)
    write_machine(directory, evolve(record, doomed=True))
    stop(layout, record)
    for path in directory.iterdir():
        if path.name != "machine.json":
            remove_tree(path)
    remove_tree(directory)


def _kill(init: str, instance: str) -> None:
    """End the machine's systemd, and with it all of its process namespace; return when they are gone."""
    try:
        handle = os.pidfd_open(processes.pid_of(init))
    except ProcessLookupError:
        return
    try:
        # Asked after the handle is held: from here on the handle cannot come to mean another process.
        if not processes.exists(init):
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        if not gone.poll(_DEATH_MS):
            raise Unavailable(f"{instance} did not end within {_DEATH_MS // 1000} s of being killed; try again")
    finally:
        os.close(handle)


def _remove_cgroups(found: cgroups.Hierarchies, path: str) -> bool | None:
    """A process that entered from outside may outlive the machine by a moment; end it too."""
    if cgroups.remove(found, path):
        return True
    for pid in cgroups.processes(found, path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None
