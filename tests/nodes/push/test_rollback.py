"""A change on trial: what was there before is kept, comes back in one round trip, and is forgotten once all is well."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import attrs
import pytest

from kubo_sdk.errors import ShellError
from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.push import changes, prove, push, read_manifest, roll_back, start_units
from kubo_sdk.ports.node import NodeFile, StartAfter

Demo = Callable[..., NodeManifest]
Machines = Callable[[str], AbstractContextManager[Any]]

ALL = frozenset(StartAfter)
FOR_EVER = 10_000


def release(version: str) -> CarriedRelease:
    return CarriedRelease(kubernetes=KubernetesVersion.parse(version), etcd="3.5.21", tree=f"{version}-upstream-0")


def file(name: str, text: str = "") -> NodeFile:
    return NodeFile(path=f"/etc/demo/{name}", content=text or name)


def old(demo: Demo) -> NodeManifest:
    made = demo({"a.service": "a1", "gone.service": "g"}, {"late.service": "l1"}, more=(file("both", "1"), file("old")))
    return attrs.evolve(made, release=release("1.30.2"))


def new(demo: Demo) -> NodeManifest:
    made = demo({"a.service": "a2", "new.service": "n"}, {"late.service": "l2"}, more=(file("both", "2"), file("new")))
    return attrs.evolve(made, release=release("1.31.0"))


def newer(demo: Demo) -> NodeManifest:
    made = demo({"a.service": "a3", "more.service": "m"}, more=(file("both", "3"), file("more")))
    return attrs.evolve(made, release=release("1.32.0"))


def bring(machine: Any, wanted: NodeManifest, *, on_trial: bool = True) -> None:
    push(machine, wanted, read_manifest(machine), ALL, on_trial=on_trial)


def assert_carries(machine: Any, wanted: NodeManifest) -> None:
    """The machine holds what is wanted and no more, every unit runs with it, and nothing is on trial."""
    there = {f"/etc/demo/{path.name}" for path in machine.path("/etc/demo").iterdir()}
    assert there == {each.path for each in wanted.files if each.path.startswith("/etc/demo/")}
    for each in wanted.placed_files:
        assert machine.path(each.path).read_bytes() == each.data()
        assert machine.path(each.path).stat().st_mode & 0o7777 == each.mode
        assert machine.path(each.path).stat().st_uid == (4242 if each.owner == "demo" else 0)
    names = {unit.name for unit in wanted.units}
    assert machine.running() == {
        name: machine.read(f"/etc/systemd/system/{name}") + machine.read(f"/etc/demo/{name}.conf") for name in names
    }
    links = {link.name for link in machine.path("/etc/systemd/system/multi-user.target.wants").iterdir()}
    ours = {"a.service", "gone.service", "new.service", "late.service", "more.service"}
    assert links & ours == names
    assert sorted(path.name for path in machine.path("/var/lib/kubo").iterdir()) == ["manifest", "started"]
    present = read_manifest(machine)
    assert changes(wanted, present).is_empty
    assert present is not None
    assert not present.on_trial
    assert present.releases == (wanted.release,)


def test_what_was_there_before_comes_back_in_one_round_trip(machine: Any, demo: Demo) -> None:
    bring(machine, old(demo))
    bring(machine, new(demo))
    trips = len(machine.commands)
    assert roll_back(machine)
    assert len(machine.commands) == trips + 1
    assert_carries(machine, old(demo))


def test_a_machine_on_trial_is_known_by_what_it_ran_well(machine: Any, demo: Demo) -> None:
    bring(machine, old(demo))
    bring(machine, new(demo))
    present = read_manifest(machine)
    assert present is not None
    assert present.on_trial
    assert present.releases == (release("1.30.2"),)
    prove(machine)
    assert_carries(machine, new(demo))
    assert not roll_back(machine)


def test_after_a_second_change_on_trial_the_state_before_the_first_comes_back(machine: Any, demo: Demo) -> None:
    bring(machine, old(demo))
    bring(machine, new(demo))
    bring(machine, newer(demo))
    assert roll_back(machine)
    assert_carries(machine, old(demo))


def test_what_is_kept_is_for_its_owner_only(machine: Any, demo: Demo) -> None:
    bring(machine, old(demo))
    bring(machine, new(demo))
    assert machine.path("/var/lib/kubo/previous").stat().st_mode & 0o7777 == 0o700


def test_a_unit_that_waited_for_its_phase_waits_on_after_a_rollback(machine: Any, demo: Demo) -> None:
    push(machine, old(demo), None, frozenset({StartAfter.BOOT}), on_trial=True)
    push(machine, new(demo), read_manifest(machine), frozenset({StartAfter.BOOT}), on_trial=True)
    roll_back(machine)
    assert "late.service" not in machine.running()
    assert changes(old(demo), read_manifest(machine)).unstarted == ("late.service",)
    start_units(machine, ["late.service"])
    assert_carries(machine, old(demo))


def test_a_first_push_and_an_ordinary_one_keep_nothing(machine: Any, demo: Demo) -> None:
    bring(machine, old(demo))
    assert not roll_back(machine)
    bring(machine, new(demo), on_trial=False)
    assert not roll_back(machine)
    assert_carries(machine, new(demo))


def test_a_rollback_killed_at_any_of_its_programs_is_made_good_by_the_next(machines: Machines, demo: Demo) -> None:
    with machines("whole") as machine:
        bring(machine, old(demo))
        bring(machine, new(demo))
        machine.die_at(FOR_EVER)
        roll_back(machine)
        calls = machine.calls()
    assert calls > 12
    for call in range(calls):
        with machines(f"killed-{call}") as machine:
            bring(machine, old(demo))
            bring(machine, new(demo))
            kill(machine, call, lambda: roll_back(machine))
            roll_back(machine)
            assert_carries(machine, old(demo))


def test_after_a_push_on_trial_that_was_killed_at_any_program_both_ways_are_open(
    machines: Machines, demo: Demo
) -> None:
    with machines("whole") as machine:
        bring(machine, old(demo))
        machine.die_at(FOR_EVER)
        bring(machine, new(demo))
        calls = machine.calls()
    for call in range(0, calls, 2):
        with machines(f"killed-{call}") as machine:
            bring(machine, old(demo))
            kill(machine, call, lambda: bring(machine, new(demo)))
            machine.crash_daemons()
            if call % 4 and roll_back(machine):
                assert_carries(machine, old(demo))
            else:
                bring(machine, new(demo))
                prove(machine)
                assert_carries(machine, new(demo))


def kill(machine: Any, call: int, work: Callable[[], object]) -> None:
    machine.die_at(call)
    with pytest.raises(ShellError, match="exit code -9"):
        work()
    machine.die_at(FOR_EVER)
