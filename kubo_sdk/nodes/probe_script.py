"""The shell program that asks a machine how it is, in one round trip, and what its answer means.

It costs few processes beside the shell: ``systemctl``, at the same time Perl to find out who answers (`knocking`), and
``df`` where a persistent disk is expected.  A machine without Perl asks nobody.  The journal is read only where a unit
was just started again and had been before: systemd counts restarts from the first start on, be it months ago.  The
answer begins with one word a line of its own, and ends with what ``systemctl show`` says::

    now SECONDS                 since the kernel started; systemd's monotonic times count from there as well
    init STATE PPID ...         /proc/1/stat from its third field on; the 20th is when init started, in ticks
    configured                  the core has put something on this machine, to the end
    disk TARGET SIZE FREE INODES FREE ACCESS
    booting                     systemd answers nobody yet; nothing follows
    knock NAME ADDRESS WORD     once for everybody who was asked
    failed UNIT                 once for each failure of late, where the journal was read
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from kubo_sdk.nodes.knocking import DOORS, KNOCK, SECONDS
from kubo_sdk.nodes.machine import STARTED, STATE
from kubo_sdk.nodes.paths import DISK

BOOTED = "basic.target"
# A unit that was started again this often within a short while keeps crashing.
CRASHES = 3
YOUNG_SECONDS = 10
JOURNAL_SECONDS = CRASHES * YOUNG_SECONDS
# systemd's catalogue calls this "Failed with result".
UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
TICKS_PER_SECOND = 100
INIT_STARTED = 19
MICROSECOND = 1e-6

PROBE = rf"""
set -u
export LC_ALL=C
read -r now _ </proc/uptime
read -r init </proc/1/stat
echo "now $now"
echo "init ${{init##*) }}"
if [ -e {STATE}/manifest ]; then echo configured; fi
disk=$1
shift
if [ "$disk" = disk ]; then
  access=ro
  if [ -w {DISK} ]; then access=rw; fi
  told=$(df -B1 --output=target,size,avail,itotal,iavail {DISK} 2>/dev/null) || told=none
  echo "disk" ${{told##*
}} "$access"
fi
if [ ! -S /run/systemd/private ]; then echo booting; exit 0; fi
cd {STATE}/{STARTED} 2>/dev/null || cd /
doors=$*
set --
if [ "$PWD" != / ]; then
  for name in *; do
    if [ -e "$name" ]; then set -- "$@" "$name"; fi
    case $name in {"|".join(DOORS)}) doors="$doors $name";; esac
  done
fi
show() {{
  exec systemctl show \
    -p Id -p Type -p ActiveState -p SubState -p Result -p NRestarts -p Job -p StatusText \
    -p StateChangeTimestampMonotonic -- {BOOTED} "$@"
}}
if [ -z "$doors" ]; then show "$@"; fi
perl -e '{KNOCK}' {SECONDS} $doors 2>/dev/null &
told=$(show "$@") || exit
wait
restarts=0
crashed=
while IFS== read -r key value; do
  case $key in
    NRestarts) restarts=$value;;
    StateChangeTimestampMonotonic) age=$((${{now%.*}} - value / 1000000));;
    "") if [ "$restarts" -ge {CRASHES} ] && [ "$age" -lt {YOUNG_SECONDS} ]; then crashed=1; fi; restarts=0;;
  esac
done <<TOLD
$told

TOLD
if [ -n "$crashed" ]; then
  for unit in $(journalctl -q -o cat --output-fields=UNIT --since=-{JOURNAL_SECONDS}s MESSAGE_ID={UNIT_FAILED}); do
    echo "failed $unit"
  done
fi
echo "$told"
"""

# Who may be asked beside the machine's own units.  An endpoint that refuses is not there; any other machine that does
# was reached all the same.
ENDPOINT = "endpoint"
PEER = "peer"


@frozen(kw_only=True)
class UnitState:
    """One unit, as systemd tells it.  ``age`` is how many seconds it has been in this state.

    ``restarts`` counts from its first start; ``failures``, those of late, are known where it is young and has many.
    ``trouble``: what it says keeps it from its work although it runs, by a status text that begins with ``!``.
    """

    name: str
    active: str
    sub: str
    result: str = "success"
    type: str = ""
    restarts: int = 0
    failures: int = 0
    queued: bool = False
    age: float = 0.0
    trouble: str = ""


@frozen(kw_only=True)
class DiskState:
    """The file system that holds the mount point of the persistent disk.  Sizes in bytes."""

    target: str
    size: int
    free: int
    inodes: int
    free_inodes: int
    writable: bool


@frozen(kw_only=True)
class Knock:
    """Somebody the machine asked, and what came of it: ``reached``, ``answers``, ``refused`` or ``silent``."""

    name: str
    address: str
    word: str


@frozen(kw_only=True)
class VitalSigns:
    """What one machine said.  ``uptime`` is in seconds, since its init started; ``disk`` is None unless asked for."""

    uptime: float
    booted: bool
    configured: bool
    units: tuple[UnitState, ...] = ()
    disk: DiskState | None = None
    knocks: tuple[Knock, ...] = ()


def probe_command(*, disk: bool, doors: Iterable[str] = ()) -> list[str]:
    """What a machine's shell is to run.  *doors*: whom the machine should reach, ``peer=10.0.0.5:8443``."""
    return ["sh", "-c", PROBE, "sh", "disk" if disk else "-", *doors]


def parse_vital_signs(text: str) -> VitalSigns:
    """Read what `PROBE` printed.  ValueError when it is something else."""
    head, _, tail = text.partition("\nId=")
    lines = {words[0]: words[1:] for words in map(str.split, head.splitlines()) if words}
    if "now" not in lines or "init" not in lines:
        raise ValueError("the machine told nothing of itself")
    now = float(lines["now"][0])
    failed = [line.split()[1] for line in head.splitlines() if line.startswith("failed ")]
    units = tuple(_units(f"Id={tail}", now, failed)) if tail else ()
    boot = next((unit for unit in units if unit.name == BOOTED), None)
    return VitalSigns(
        uptime=max(0.0, now - int(lines["init"][INIT_STARTED]) / TICKS_PER_SECOND),
        booted=boot is not None and boot.active == "active",
        configured="configured" in lines,
        units=tuple(unit for unit in units if unit.name != BOOTED),
        disk=_disk(lines["disk"]) if "disk" in lines else None,
        knocks=tuple(_knock(line) for line in head.splitlines() if line.startswith("knock ")),
    )


def _knock(line: str) -> Knock:
    _, name, address, word = line.split()
    return Knock(name=name, address=address, word=word)


def _units(text: str, now: float, failed: Sequence[str]) -> Iterable[UnitState]:
    for block in text.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in told:
            yield _unit(told, now, failed.count(told["Id"]))


def _unit(told: Mapping[str, str], now: float, failures: int) -> UnitState:
    said = told.get("StatusText", "")
    changed = int(told.get("StateChangeTimestampMonotonic") or 0) * MICROSECOND
    return UnitState(
        name=told["Id"],
        active=told.get("ActiveState", "unknown"),
        sub=told.get("SubState", ""),
        result=told.get("Result", "success"),
        type=told.get("Type", ""),
        restarts=int(told.get("NRestarts") or 0),
        failures=failures,
        queued=told.get("Job", "0") not in ("", "0"),
        # A unit that never changed has no such time: it is as old as can be.
        age=max(0.0, now - changed),
        trouble=said.removeprefix("!").strip() if said.startswith("!") else "",
    )


def _disk(words: list[str]) -> DiskState:
    """``df`` says a dash for what a file system does not count."""
    if len(words) != 6:
        return DiskState(target="", size=0, free=0, inodes=0, free_inodes=0, writable=False)
    target, *numbers, access = words
    size, free, inodes, free_inodes = (0 if number == "-" else int(number) for number in numbers)
    return DiskState(
        target=target, size=size, free=free, inodes=inodes, free_inodes=free_inodes, writable=access == "rw"
    )
