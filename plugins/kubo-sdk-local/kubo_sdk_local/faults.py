"""Breaks machines of this host on purpose: for tests, benchmarks, and people who practise repairs.

Every function takes the CPI and the machine as the CPI lists it, and acts in the network namespace of its caller.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound
from kubo_sdk.ports.cpi import Vm
from kubo_sdk_local import cgroups, processes
from kubo_sdk_local.cpi import LocalCpi
from kubo_sdk_local.disks import data_directory
from kubo_sdk_local.layout import Place
from kubo_sdk_local.machines import init_file
from kubo_sdk_local.netlink import Netlink

END_SECONDS = 30


def power_off(cpi: LocalCpi, vm: Vm) -> None:
    """Kill the machine's systemd, and with it every process, as a power cut would."""
    place = _place(vm)
    init = processes.recorded(str(init_file(cpi.layout.machine(place.cluster, place.leaf))))
    if init is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(processes.pid_of(init), signal.SIGKILL)
        # The kernel ends every process of the machine before its init is gone.
        wait_until(lambda: not processes.is_alive(init) or None, what=f"the end of {vm.instance}", timeout=END_SECONDS)


def cut_off(cpi: LocalCpi, vm: Vm) -> None:
    """Take the machine off the network; it runs on and does not know.  Starting it again puts it back on."""
    _set_link(cpi, vm, up=False)


def reconnect(cpi: LocalCpi, vm: Vm) -> None:
    """Undo `cut_off`."""
    _set_link(cpi, vm, up=True)


def freeze(cpi: LocalCpi, vm: Vm) -> None:
    """Stop every process of the machine where it stands; whoever enters it waits too."""
    _signal_all(cpi, vm, signal.SIGSTOP)


def thaw(cpi: LocalCpi, vm: Vm) -> None:
    """Undo `freeze`."""
    _signal_all(cpi, vm, signal.SIGCONT)


def disk_directory(cpi: LocalCpi, disk_id: str) -> Path:
    """Where this host keeps what is on the disk."""
    return data_directory(cpi.layout, disk_id)


def _place(vm: Vm) -> Place:
    place = Place.parse(vm.id)
    if place is None:
        raise NotFound(f"there is no machine {vm.id}")
    return place


def _set_link(cpi: LocalCpi, vm: Vm, *, up: bool) -> None:
    place = _place(vm)
    with Netlink() as netlink:
        index = netlink.get_index(cpi.layout.veth(place.cluster, place.leaf))
        if up:
            netlink.set_up(index)
        else:
            netlink.set_down(index)


def _signal_all(cpi: LocalCpi, vm: Vm, number: signal.Signals) -> None:
    place = _place(vm)
    for pid in cgroups.processes(cgroups.hierarchies(), cpi.layout.cgroup(place.cluster, place.leaf)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
