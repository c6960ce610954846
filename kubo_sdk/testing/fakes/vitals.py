"""What a fake machine tells the core's probe: uptime, units, disk and whom it reaches, as the real script prints it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubo_sdk.nodes.etcd import PEER_PORT
from kubo_sdk.nodes.knocking import ANSWERS, DOORS, REACHED, REFUSED
from kubo_sdk.nodes.probe_script import BOOTED, INIT_STARTED, TICKS_PER_SECOND
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.systemd import UNIT_DIRECTORY
from kubo_sdk.testing.fakes.push import MANIFEST, STARTED, outcome
from kubo_sdk.testing.fakes.units import FakeUnit

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

# The kernel's clock does not begin at zero with the cloud's.
SINCE_KERNEL = 1000.0
MEBIBYTE = 1 << 20
SILENT = "silent"
INODES = 65536

_TYPE = re.compile(r"^Type=(\w+)$", re.MULTILINE)
_SUB = {"active": "running", "activating": "start", "inactive": "dead", "failed": "failed"}


def vital_signs(machine: FakeMachine, arguments: list[str], _stdin: bytes) -> Outcome:
    """`probe_script.PROBE`."""
    init = ["S", *["0"] * INIT_STARTED]
    init[INIT_STARTED] = str(int((machine.booted_at + SINCE_KERNEL) * TICKS_PER_SECOND))
    lines = [f"now {machine.cloud.clock.time + SINCE_KERNEL:.2f}", f"init {' '.join(init)}"]
    if MANIFEST in machine.files:
        lines.append("configured")
    if arguments[0] == "disk":
        lines.append(_disk(machine))
    marks = sorted(path.removeprefix(STARTED) for path in machine.files if path.startswith(STARTED))
    lines += [_tried(machine, door) for door in arguments[1:]]
    lines += [f"knock {name} {DOORS[name]} {_heard(machine, machine.unit(name))}" for name in marks if name in DOORS]
    lines.append(_block(BOOTED, "", "active", "active", machine.booted_at))
    lines += [_unit(machine, machine.unit(name)) for name in marks]
    return outcome(stdout="\n".join(lines).encode())


def _tried(machine: FakeMachine, door: str) -> str:
    """What comes of knocking at ``NAME=HOST:PORT`` from *machine*."""
    name, _, where = door.partition("=")
    host, _, port = where.partition(":")
    word = SILENT if machine.is_cut_off else _said_at(machine, host, int(port))
    return f"knock {name} {where} {word}"


def _said_at(machine: FakeMachine, host: str, port: int) -> str:
    doors = (*machine.site.balancers.values(), *filter(None, (machine.site.door,)))
    balancer = next((each for each in doors if each.host == host), None)
    if balancer is not None:
        return REACHED if balancer.listener is not None else REFUSED
    cloud = machine.cloud
    other = next((each for each in cloud.machines_by_id.values() if each.address == host), None)
    if other is None or not other.answers:
        return SILENT
    listens = any(getattr(unit.process, "address", None) == (host, port) for unit in other.units.values())
    return REACHED if listens or (port == PEER_PORT and host in cloud.etcd_at) else REFUSED


def _heard(machine: FakeMachine, unit: FakeUnit) -> str:
    """What the daemon of *unit* says to its own machine."""
    if not machine.runs(unit.name):
        return REFUSED
    return SILENT if unit.hung else ANSWERS


def _disk(machine: FakeMachine) -> str:
    disk = machine.cloud.disks_by_id.get(machine.disks[0]) if machine.disks else None
    if disk is None:
        return f"disk / {MEBIBYTE} {MEBIBYTE} {INODES} {INODES} rw"
    size = disk.size_mb * MEBIBYTE
    free = 0 if machine.disk_is_full else size - size // 10
    return f"disk /var/lib/kubo/disk {size} {free} {INODES} {INODES} rw"


def _unit(machine: FakeMachine, unit: FakeUnit) -> str:
    found = _TYPE.search(machine.files.get(f"{UNIT_DIRECTORY}/{unit.name}", b"").decode())
    state = machine.unit_state(unit.name)
    sub = "auto-restart" if unit.state == "restarting" else _SUB.get(state, state)
    changed = unit.ready_at if state == "active" else unit.changed
    return _block(unit.name, found[1] if found else "simple", state, sub, changed, unit.restarts)


def _block(name: str, kind: str, state: str, sub: str, changed: float, restarts: int = 0) -> str:  # noqa: PLR0917
    told = {
        "Id": name,
        "Type": kind,
        "NRestarts": restarts,
        "Job": 0,
        "ActiveState": state,
        "SubState": sub,
        "Result": "exit-code" if state == "failed" or sub == "auto-restart" else "success",
        "StateChangeTimestampMonotonic": int((changed + SINCE_KERNEL) * 1_000_000),
    }
    return "".join(f"{key}={value}\n" for key, value in told.items())
