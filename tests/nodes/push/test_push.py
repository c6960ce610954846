"""What a push does to a machine."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.errors import Conflict, ShellError, Unavailable
from kubo_sdk.nodes.machine import MachineManifest
from kubo_sdk.nodes.manifest import NodeManifest, manifest
from kubo_sdk.nodes.push import PushResult, changes, push, read_manifest, start_units
from kubo_sdk.ports.node import NodeFile, StartAfter
from kubo_sdk.ports.shell import Outcome

Demo = Callable[..., NodeManifest]
Machine = Any

BOOT = frozenset({StartAfter.BOOT})
ALL = frozenset(StartAfter)
WANTS = "/etc/systemd/system/multi-user.target.wants"


def bring(machine: Machine, wanted: NodeManifest, phases: frozenset[StartAfter] = ALL) -> PushResult:
    return push(machine, wanted, read_manifest(machine), phases)


def test_a_new_machine_gets_every_file_with_its_mode_and_owner(machine: Machine, demo: Demo) -> None:
    public = NodeFile(path="/etc/other/place/public", content=b"\x00\xff", mode=0o644)
    wanted = demo({"a.service": "secret"}, more=(public,))
    assert read_manifest(machine) is None
    result = bring(machine, wanted)
    assert set(result.written) == set(wanted.file_digests)
    for file in wanted.placed_files:
        found = machine.path(file.path)
        assert found.read_bytes() == file.data()
        assert stat.S_IMODE(found.stat().st_mode) == file.mode
        assert found.stat().st_uid == (4242 if file.owner == "demo" else 0)
    assert stat.S_IMODE(machine.path("/etc/other/place").stat().st_mode) == 0o755


def test_what_was_pushed_is_no_change_any_more_and_costs_no_second_trip(machine: Machine, demo: Demo) -> None:
    wanted = demo({"a.service": "1"}, {"b.service": "2"})
    bring(machine, wanted)
    present = read_manifest(machine)
    assert changes(wanted, present).is_empty
    trips = len(machine.commands)
    assert push(machine, wanted, present, ALL) == PushResult()
    assert len(machine.commands) == trips


def test_a_unit_of_a_later_phase_is_put_there_and_started_only_when_asked(machine: Machine, demo: Demo) -> None:
    wanted = demo({"a.service": "1"}, {"b.service": "2"})
    assert bring(machine, wanted, BOOT).started == ("a.service",)
    assert machine.path("/etc/systemd/system/b.service").exists()
    assert not machine.path(f"{WANTS}/b.service").is_symlink()
    assert changes(wanted, read_manifest(machine)).unstarted == ("b.service",)
    assert start_units(machine, ["a.service", "b.service"]).started == ("b.service",)
    assert machine.path(f"{WANTS}/b.service").readlink().name == "b.service"
    assert changes(wanted, read_manifest(machine)).is_empty
    assert start_units(machine, ["a.service", "b.service"]) == PushResult()


def test_a_changed_file_restarts_its_units_and_leaves_the_others_alone(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "1", "b.service": "1"}))
    neighbour = machine.path("/etc/demo/b.service.conf").stat()
    machine.asked()
    result = bring(machine, demo({"a.service": "2", "b.service": "1"}))
    assert result.written == ("/etc/demo/a.service.conf",)
    assert (result.restarted, result.started) == (("a.service",), ())
    assert machine.asked() == ["restart a.service"]
    assert machine.running()["a.service"].endswith("2")
    assert machine.path("/etc/demo/b.service.conf").stat() == neighbour


def test_a_file_is_replaced_in_one_go(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "old"}))
    with machine.path("/etc/demo/a.service.conf").open() as reader:
        bring(machine, demo({"a.service": "new"}))
        assert reader.read() == "old"
    assert machine.read("/etc/demo/a.service.conf") == "new"


def test_a_unit_that_runs_is_restarted_in_any_phase_once_it_changes(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({}, {"b.service": "1"}))
    assert bring(machine, demo({}, {"b.service": "2"}), BOOT).restarted == ("b.service",)


def test_what_is_wished_for_no_more_is_stopped_and_removed(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "1", "b.service": "1"}))
    result = bring(machine, demo({"a.service": "1"}))
    assert result.stopped == ("b.service",)
    assert machine.running().keys() == {"a.service"}
    for path in ("/etc/systemd/system/b.service", "/etc/demo/b.service.conf", "/var/lib/kubo/started/b.service"):
        assert not machine.path(path).exists()
    assert not machine.path(f"{WANTS}/b.service").is_symlink()
    assert changes(demo({"a.service": "1"}), read_manifest(machine)).is_empty


def test_systemd_reads_its_units_again_only_when_it_knew_one_of_them(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "1"}))
    assert machine.asked() == ["start a.service"]
    machine.path("/machine/loaded/a.service").touch()
    wanted = demo({"a.service": "1"})
    (unit,) = wanted.units
    changed = evolve(unit, text=unit.text + "# changed\n")
    bring(machine, manifest(wanted.files, (changed,)))
    assert machine.asked() == ["daemon-reload", "restart a.service"]


def test_a_machine_that_moved_since_it_was_looked_at_is_looked_at_again(machine: Machine, demo: Demo) -> None:
    seen = read_manifest(machine)
    bring(machine, demo({"a.service": "1", "b.service": "1"}))
    wanted = demo({"a.service": "2"})
    result = push(machine, wanted, seen, ALL)
    assert (result.stopped, result.restarted) == (("b.service",), ("a.service",))
    assert changes(wanted, read_manifest(machine)).is_empty


def test_two_who_push_against_each_other_are_told(machine: Machine, demo: Demo) -> None:
    class Contested:
        def __init__(self) -> None:
            self.turn = 0

        def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Outcome:
            if stdin:
                self.turn += 1
                bring(machine, demo({"a.service": f"theirs {self.turn}"}))
            found: Outcome = machine.run(command, stdin=stdin, timeout=timeout)
            return found

        def interact(self, command: Sequence[str]) -> int:
            raise NotImplementedError

    with pytest.raises(Conflict, match="somebody else"):
        push(Contested(), demo({"a.service": "ours"}), None, ALL)
    assert "theirs 2" in machine.running()["a.service"]


def test_no_content_is_ever_part_of_a_command_line(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "hunter2"}))
    bring(machine, demo({"a.service": "hunter3"}))
    start_units(machine, ["a.service"])
    assert "hunter" not in repr(machine.commands)
    assert len({command[2] for command in machine.commands}) == 3


def test_nothing_is_left_of_the_files_on_their_way(machine: Machine, demo: Demo) -> None:
    bring(machine, demo({"a.service": "1"}))
    kept = sorted(path.name for path in machine.path("/var/lib/kubo").iterdir())
    assert kept == ["manifest", "started"]
    assert stat.S_IMODE(machine.path("/var/lib/kubo/manifest").stat().st_mode) == 0o600


def test_units_are_not_started_on_a_machine_that_was_never_configured(machine: Machine) -> None:
    with pytest.raises(Conflict, match="never configured to the end"):
        start_units(machine, ["a.service"])


def test_without_systemd_a_machine_is_unavailable_and_nothing_counts_as_started(machine: Machine, demo: Demo) -> None:
    machine.path("/run/systemd/private").unlink()
    machine.path("/machine/bin/sleep").symlink_to("/bin/true")
    with pytest.raises(Unavailable, match="its systemd does not answer"):
        bring(machine, demo({"a.service": "1"}))
    assert changes(demo({"a.service": "1"}), read_manifest(machine)).unstarted == ("a.service",)


def test_a_file_in_the_way_is_told_with_the_machines_own_words(machine: Machine, demo: Demo) -> None:
    machine.path("/etc/demo/a.service.conf").mkdir(parents=True)
    with pytest.raises(ShellError, match=r"configuring the machine failed .*a\.service\.conf"):
        bring(machine, demo({"a.service": "1"}))


def test_a_machine_of_a_newer_sdk_is_left_alone(machine: Machine) -> None:
    state = machine.path("/var/lib/kubo")
    state.mkdir(parents=True, exist_ok=True)
    (state / "manifest").write_text("kubo-manifest 2 abc\n")
    with pytest.raises(Conflict, match="newer kubo-sdk"):
        read_manifest(machine)


def test_a_memory_that_makes_no_sense_is_written_again(machine: Machine, demo: Demo) -> None:
    wanted = demo({"a.service": "1"})
    bring(machine, wanted)
    memory = machine.path("/var/lib/kubo/manifest")
    memory.write_text(memory.read_text()[:200])
    present = read_manifest(machine)
    assert isinstance(present, MachineManifest)
    assert changes(wanted, present).write
    bring(machine, wanted)
    assert changes(wanted, read_manifest(machine)).is_empty
