"""Judges what a machine and its units said.  Pure: numbers and words in, facts out."""

from __future__ import annotations

from datetime import datetime

from kubo_sdk.nodes.knocking import ANSWERS, REACHED, REFUSED
from kubo_sdk.nodes.paths import DISK
from kubo_sdk.nodes.probe_script import CRASHES, ENDPOINT, YOUNG_SECONDS, DiskState, Knock, UnitState, VitalSigns
from kubo_sdk.planning.health import Fact, Source, Verdict
from kubo_sdk.ports.cpi import Vm, VmState

# How long systemd may be at it before somebody else has to look.  An API server alone may take a minute to get ready.
BOOT_SECONDS = 120
START_SECONDS = 90
# So long after its start a daemon may not answer yet.
SETTLING_SECONDS = 30

# Less room than this is none: the smaller of a share and of a number, which are bytes and inodes.
LEAST_SHARE = 0.01
LEAST_BYTES = 16 * 1024 * 1024
LEAST_INODES = 1000

MISSING = "missing"
BOOTING = "booting"
STARTING = "starting"
UNCONFIGURED = "not configured"
DEAF = "does not answer"


def fact(source: Source, verdict: Verdict, word: str, seen: datetime, details: tuple[str, ...] = ()) -> Fact:
    return Fact(source=source, verdict=verdict, word=word, seen=seen, details=details)


def good(source: Source, word: str, seen: datetime) -> Fact:
    return fact(source, Verdict.GOOD, word, seen)


def bad(source: Source, word: str, seen: datetime, details: tuple[str, ...] = ()) -> Fact:
    return fact(source, Verdict.BAD, word, seen, details)


def unknown(source: Source, word: str, seen: datetime, details: tuple[str, ...] = ()) -> Fact:
    return fact(source, Verdict.UNKNOWN, word, seen, details)


def machine_fact(vm: Vm | None, seen: datetime) -> Fact:
    """What the CPI's word for the machine means."""
    if vm is None:
        return bad(Source.MACHINE, MISSING, seen)
    match vm.state:
        case VmState.RUNNING:
            return good(Source.MACHINE, str(vm.state), seen)
        case VmState.STOPPED:
            return bad(Source.MACHINE, str(vm.state), seen)
        case VmState.STARTING:
            return unknown(Source.MACHINE, BOOTING, seen)
        case _:
            return unknown(Source.MACHINE, str(vm.state), seen)


def units_fact(signs: VitalSigns, seen: datetime) -> Fact:
    """Bad when a unit that should run does not; unknown while systemd is still at it.  ``details`` names the units.

    What a unit that runs says of others' trouble is told and is nothing that a restart could mend.
    """
    if not signs.booted and signs.uptime < BOOT_SECONDS:
        return unknown(Source.UNITS, BOOTING, seen)
    if not signs.booted:
        return bad(Source.UNITS, f"{BOOTING} for {signs.uptime:.0f} s", seen)
    if not signs.configured:
        return bad(Source.UNITS, UNCONFIGURED, seen)
    deaf = {knock.name for knock in signs.knocks if knock.word != ANSWERS}
    judged = [(unit, *judge_unit(unit, signs.uptime, deaf=unit.name in deaf)) for unit in signs.units]
    for verdict in (Verdict.BAD, Verdict.UNKNOWN):
        found = [(unit.name, word) for unit, said, word in judged if said is verdict]
        if found:
            words = ", ".join(f"{name.removesuffix('.service')} {word}" for name, word in found)
            return fact(Source.UNITS, verdict, words, seen, tuple(name for name, _ in found))
    told = [f"{unit.name.removesuffix('.service')}: {unit.trouble}" for unit in signs.units if unit.trouble]
    return good(Source.UNITS, "; ".join(("active", *told)), seen)


def judge_unit(unit: UnitState, uptime: float, *, deaf: bool = False) -> tuple[Verdict, str]:
    """How one unit is that somebody asked to start; *uptime* is the machine's.  *deaf*: its daemon did not answer."""
    # Where no failure is known, the journal could not be read, or the daemon ends as if all were well.
    crashes = (unit.failures or unit.restarts) if unit.restarts >= CRASHES else 0
    if crashes >= CRASHES and (unit.active != "active" or unit.age < YOUNG_SECONDS):
        return Verdict.BAD, f"keeps crashing ({unit.restarts} restarts)"
    if deaf and unit.active == "active" and unit.age >= SETTLING_SECONDS:
        return Verdict.BAD, DEAF
    if unit.active in ("active", "reloading") or is_oneshot_at_work(unit):
        return Verdict.GOOD, unit.active
    if unit.active in ("activating", "deactivating"):
        return _within(unit.age, STARTING if unit.active == "activating" else "stopping")
    if unit.queued:
        return _within(min(uptime, unit.age), STARTING)
    return Verdict.BAD, unit.active if unit.result == "success" else f"{unit.active} ({unit.result})"


def is_oneshot_at_work(unit: UnitState) -> bool:
    """One that runs once may run as long as it likes, and is inactive when it is done."""
    if unit.type != "oneshot" or unit.result != "success" or unit.queued:
        return False
    return unit.active in ("activating", "inactive") and unit.sub != "auto-restart"


def _within(age: float, word: str) -> tuple[Verdict, str]:
    """It takes a while.  Longer than that is bad."""
    return (Verdict.UNKNOWN, word) if age < START_SECONDS else (Verdict.BAD, f"{word} for {age:.0f} s")


def network_fact(signs: VitalSigns, seen: datetime) -> Fact:
    """Bad when the machine reaches nobody whom it should reach.  Nobody to ask is no trouble."""
    tried = [knock for knock in signs.knocks if "." not in knock.name]
    reached = tuple(knock.address for knock in tried if is_reached(knock))
    if reached:
        return fact(Source.NETWORK, Verdict.GOOD, f"reaches {reached[0]}", seen, reached)
    if not tried:
        return good(Source.NETWORK, "not asked", seen)
    if not signs.booted and signs.uptime < BOOT_SECONDS:
        return unknown(Source.NETWORK, BOOTING, seen)
    addresses = tuple(knock.address for knock in tried)
    return bad(Source.NETWORK, f"cannot reach {' or '.join(addresses)}", seen, addresses)


def is_reached(knock: Knock) -> bool:
    """A machine that refuses is there; an endpoint that does is not."""
    return knock.word == REACHED or (knock.word == REFUSED and knock.name != ENDPOINT)


def disk_fact(signs: VitalSigns, seen: datetime) -> Fact:
    """Whether the persistent disk is mounted where it belongs, and has room."""
    disk = signs.disk
    if disk is None or disk.target != DISK:
        if not signs.booted and signs.uptime < BOOT_SECONDS:
            return unknown(Source.DISK, BOOTING, seen)
        return bad(Source.DISK, "not mounted", seen, (DISK,))
    if not disk.writable:
        return bad(Source.DISK, "read-only", seen, (DISK,))
    if is_full(disk):
        return bad(Source.DISK, "full", seen, (DISK,))
    return good(Source.DISK, "mounted", seen)


def is_full(disk: DiskState) -> bool:
    """Whether there is no room left, or no inode where the file system counts them."""
    room = disk.free < min(disk.size * LEAST_SHARE, LEAST_BYTES)
    return room or disk.free_inodes < min(disk.inodes * LEAST_SHARE, LEAST_INODES)
