"""FakeMachine: one machine of the fake cloud, what lies on it, what runs on it, and the ways to break it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from kubo_sdk.model.instance import ClusterId, Instance
from kubo_sdk.nodes.preparation_script import PREPARED
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.systemd import UNIT_DIRECTORY
from kubo_sdk.testing.fakes.processes import PROCESSES
from kubo_sdk.testing.fakes.units import FakeUnit, Process, StartFailed, full_name

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud
    from kubo_sdk.testing.fakes.site import FakeSite

DISK = "/var/lib/kubo/disk"


@define(eq=False, kw_only=True)
class FakeDisk:
    """One persistent disk.  ``content`` is what programs keep on it, ``files`` what was written there."""

    id: str
    cluster: ClusterId
    instance: str
    token: str
    size_mb: int
    made_at: float
    content: dict[str, Any] = field(factory=dict, repr=False)
    attached_to: str | None = None


@define(eq=False, kw_only=True)
class FakeMachine:
    """Every method that breaks something takes effect at once and is thread-safe."""

    cloud: FakeCloud = field(repr=False)
    id: str
    cluster: ClusterId
    instance: Instance
    token: str
    address: str
    tags: tuple[tuple[str, str], ...] = ()
    disks: list[str] = field(factory=list)
    power: VmState = VmState.RUNNING
    booted_at: float = 0.0
    made_at: float = 0.0
    is_gone: bool = False
    is_hung: bool = False
    is_cut_off: bool = False
    has_console: bool = False
    disk_is_full: bool = False
    disk_is_lost: bool = False
    files: dict[str, bytes] = field(factory=dict, repr=False)
    trees: set[str] = field(factory=set)
    links: set[str] = field(factory=set, repr=False)
    units: dict[str, FakeUnit] = field(factory=dict, repr=False)
    content: dict[str, Any] = field(factory=dict, repr=False)

    @property
    def site(self) -> FakeSite:
        return self.cloud.site(self.cluster)

    @property
    def provider_id(self) -> str:
        return f"fake://{self.instance.az}/{self.id}"

    @property
    def vm(self) -> Vm:
        """The machine as the CPI tells it."""
        return Vm(
            id=self.id,
            cluster=self.cluster,
            instance=self.instance.id,
            token=self.token,
            state=self.power,
            address=self.address,
            az=self.instance.az,
            provider_id=self.provider_id,
            disks=tuple(self.disks),
            tags=self.tags,
        )

    @property
    def is_up(self) -> bool:
        """Whether it has power and has booted."""
        return not self.is_gone and self.power is VmState.RUNNING and self.cloud.clock.time >= self.booted_at

    @property
    def answers(self) -> bool:
        """Whether it answers over the network."""
        return self.is_up and not self.is_hung and not self.is_cut_off

    def serves(self, unit: FakeUnit) -> bool:
        """Whether the program of *unit* runs and reaches others."""
        return self.answers and unit.state == "active" and not unit.hung and self.cloud.clock.time >= unit.ready_at

    def runs(self, name: str) -> bool:
        """Whether the program of the unit called *name* runs, whoever it reaches."""
        unit = self.units.get(full_name(name))
        return unit is not None and self.is_up and unit.state == "active" and self.cloud.clock.time >= unit.ready_at

    def place_of(self, directory: str) -> dict[str, Any]:
        """What programs keep below *directory*: on the persistent disk, or on the machine itself."""
        if not directory.startswith(DISK):
            return self.content
        if not self.disks or self.disk_is_lost:
            raise StartFailed(f"{DISK} is not mounted")
        return self.cloud.disks_by_id[self.disks[0]].content

    # -- units

    def unit(self, name: str) -> FakeUnit:
        """The unit of that name, made when there is none."""
        return self.units.setdefault(full_name(name), FakeUnit(name=full_name(name)))

    def unit_state(self, name: str) -> str:
        """What systemd says: active, activating, failed, inactive."""
        unit = self.units.get(full_name(name))
        if unit is None:
            return "inactive"
        if unit.state == "restarting":
            self.start(unit.name)
        if unit.state == "restarting":
            return "activating"
        if unit.state != "active":
            return unit.state
        waits = unit.process is not None and not unit.hung and not unit.process.ready()
        late = self.cloud.clock.time < unit.ready_at or waits
        return "activating" if late else "active"

    def start(self, name: str, since: float | None = None) -> None:
        """Start a unit that does not run."""
        unit = self.unit(name)
        if unit.state == "active":
            return
        unit.since = self.cloud.clock.time if since is None else since
        unit.changed = unit.since
        unit.hung, unit.state, unit.reason = False, "active", ""
        try:
            unit.process = self._process(unit)
        except StartFailed as failure:
            unit.state, unit.reason = "failed" if unit.cursed else "restarting", str(failure)
            unit.changed = self.cloud.clock.time
            self.cloud.restarting.add(self)

    def _process(self, unit: FakeUnit) -> Process | None:
        if unit.cursed:
            raise StartFailed("it fails on purpose")
        if self.cloud.stock_images and PREPARED not in self.files:
            raise StartFailed("its program is not installed")
        make = PROCESSES.get(unit.name)
        text = self.files.get(f"{UNIT_DIRECTORY}/{unit.name}", b"").decode()
        if any(name == unit.name and release in text for name, release in self.cloud.broken_programs):
            raise StartFailed("unknown flag: --broken")
        return make(self, unit, text) if make is not None and text else None

    def stop(self, name: str, state: str = "inactive") -> None:
        """Stop a unit; *state* is what it is in afterwards."""
        unit = self.unit(name)
        process, unit.process = unit.process, None
        if unit.state != state:
            unit.state, unit.changed = state, self.cloud.clock.time
        if process is not None:
            process.stop()

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def try_again(self) -> None:
        """What systemd does every second with what does not stay up."""
        self.cloud.restarting.discard(self)
        if not self.is_gone:
            for unit in tuple(self.units.values()):
                if unit.state == "restarting":
                    self.start(unit.name)
                    unit.restarts += 1

    # -- power

    def boot(self, seconds: float) -> None:
        """Start, and come up with every unit that starts at boot."""
        self.power, self.is_hung = VmState.RUNNING, False
        self.booted_at = self.cloud.clock.time + seconds
        for name in sorted(self.links):
            self.start(name, since=self.booted_at)

    def halt(self) -> None:
        """Everything on it ends."""
        for unit in tuple(self.units.values()):
            if unit.state != "failed":
                self.stop(unit.name)

    # -- breaking it

    def kill(self) -> None:
        """The machine is gone, as if its host had burnt down.  Its disks are left, detached."""
        with self.cloud.lock:
            self.cloud.forget(self)

    def power_off(self) -> None:
        with self.cloud.lock:
            self.halt()
            self.power = VmState.STOPPED

    def power_on(self) -> None:
        """Start again with the same disks and address."""
        with self.cloud.lock:
            self.boot(self.cloud.boot_time())

    def hang(self) -> None:
        """The kernel stands still: connections break without an answer, commands time out, the CPI sees it running."""
        self._silence(lambda: setattr(self, "is_hung", True))

    def cut_off(self, *, console: bool = False) -> None:
        """Its network is down; what runs on it goes on alone.  With a *console* its shell answers all the same."""
        self.has_console = console
        self._silence(lambda: setattr(self, "is_cut_off", True))

    def reconnect(self) -> None:
        """Take `cut_off` back."""
        with self.cloud.lock:
            self.is_cut_off = False
            self._tell_processes("resume")

    def stop_unit(self, name: str) -> None:
        with self.cloud.lock:
            self.stop(name)

    def fail_unit(self, name: str, *, restarts_help: bool = True) -> None:
        """The program of a unit crashes for good, until it is restarted, or whatever is done on this machine."""
        with self.cloud.lock:
            self.unit(name).cursed = not restarts_help
            self.stop(name, "failed")

    def hang_unit(self, name: str) -> None:
        """The program of a unit stands still and stays active for systemd, until it is restarted."""
        with self.cloud.lock:
            self._silence(lambda: setattr(self.unit(name), "hung", True))

    def lose_disk(self) -> None:
        """The persistent disk is destroyed with what is on it."""
        with self.cloud.lock:
            self.disk_is_lost = True
            for disk in tuple(self.disks):
                self.cloud.disks_by_id.pop(disk, None)
            self.disks.clear()
            self.crash_what_needs_the_disk()

    def fill_disk(self) -> None:
        """No byte can be written any more until `free_disk`."""
        with self.cloud.lock:
            self.disk_is_full = True
            self.crash_what_needs_the_disk()

    def free_disk(self) -> None:
        """Take `fill_disk` back."""
        with self.cloud.lock:
            self.disk_is_full = False
            self.try_again()

    def crash_what_needs_the_disk(self) -> None:
        """Programs that write end, and are tried again by systemd."""
        if self.unit_state("etcd") in ("active", "activating"):
            self.stop("etcd", "restarting")

    def _silence(self, change: Callable[[], None]) -> None:
        with self.cloud.lock:
            self._tell_processes("pause")
            change()

    def _tell_processes(self, what: str) -> None:
        for unit in tuple(self.units.values()):
            tell = getattr(unit.process, what, None)
            if tell is not None:
                tell()


ProcessMaker = Callable[[FakeMachine, FakeUnit, str], Any]
_: Mapping[str, ProcessMaker] = PROCESSES
