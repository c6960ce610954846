"""What a fake machine tells the core's probe: uptime, units and disk, as the real script prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    if arguments == ["disk"]:
        lines.append(_disk(machine))
    lines.append(_block(BOOTED, "", "active", "active", machine.booted_at))
    marks = sorted(path.removeprefix(STARTED) for path in machine.files if path.startswith(STARTED))
    lines += [_unit(machine, machine.unit(name)) for name in marks]
    return outcome(stdout="\n".join(lines).encode())


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
