"""A push that is killed at any point, and another one after it with other wishes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from kubo_sdk.errors import ShellError
from kubo_sdk.nodes.machine import MachineManifest
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.push import changes, push, read_manifest, start_units
from kubo_sdk.ports.node import NodeFile, StartAfter

Demo = Callable[..., NodeManifest]
Machines = Callable[[str], AbstractContextManager[Any]]

ALL = frozenset(StartAfter)
FOR_EVER = 10_000


def before(demo: Demo) -> NodeManifest:
    return demo({"a.service": "a1", "gone.service": "g"}, {"late.service": "l1"}, more=(file("kept"), file("old")))


def abandoned(demo: Demo) -> NodeManifest:
    return demo({"a.service": "a2", "new.service": "n1"}, {"late.service": "l2"}, more=(file("kept"), file("stray")))


def after(demo: Demo) -> NodeManifest:
    return demo({"a.service": "a1", "new.service": "n2"}, {"late.service": "l1"}, more=(file("kept"), file("fresh")))


def file(name: str) -> NodeFile:
    return NodeFile(path=f"/etc/demo/{name}", content=name)


def assert_carries(machine: Any, wanted: NodeManifest) -> None:
    """The machine holds what is wanted and no more, and every unit runs with it."""
    there = {f"/etc/demo/{path.name}" for path in machine.path("/etc/demo").iterdir()}
    assert there == {each.path for each in wanted.files if each.path.startswith("/etc/demo/")}
    for each in wanted.placed_files:
        assert machine.path(each.path).read_bytes() == each.data()
    names = {unit.name for unit in wanted.units}
    assert machine.running() == {
        name: machine.read(f"/etc/systemd/system/{name}") + machine.read(f"/etc/demo/{name}.conf") for name in names
    }
    links = {link.name for link in machine.path("/etc/systemd/system/multi-user.target.wants").iterdir()}
    assert links & {"a.service", "gone.service", "new.service", "late.service"} == names
    assert sorted(path.name for path in machine.path("/var/lib/kubo").iterdir()) == ["manifest", "started"]
    assert {path.name for path in machine.path("/var/lib/kubo/started").iterdir()} == names
    assert changes(wanted, read_manifest(machine)).is_empty


def converge(machine: Any, wanted: NodeManifest) -> None:
    push(machine, wanted, read_manifest(machine), frozenset({StartAfter.BOOT}))
    start_units(machine, [unit.name for unit in wanted.units])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_push_killed_at_any_of_its_programs_is_made_good_by_the_next(
    machines: Machines, demo: Demo, when: str
) -> None:
    with machines("whole") as machine:
        converge(machine, before(demo))
        present = read_manifest(machine)
        machine.die_at(FOR_EVER)
        push(machine, abandoned(demo), present, ALL)
        calls = machine.calls()
    assert calls > 12
    for call in range(calls):
        with machines(f"killed-{call}") as machine:
            converge(machine, before(demo))
            kill_push(machine, abandoned(demo), read_manifest(machine), call, when)
            machine.crash_daemons()
            converge(machine, after(demo))
            assert_carries(machine, after(demo))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_first_push_killed_at_any_of_its_programs_is_made_good_by_the_next(
    machines: Machines, demo: Demo, when: str
) -> None:
    with machines("whole") as machine:
        machine.die_at(FOR_EVER)
        push(machine, abandoned(demo), None, ALL)
        calls = machine.calls()
    for call in range(calls):
        with machines(f"killed-{call}") as machine:
            kill_push(machine, abandoned(demo), None, call, when)
            converge(machine, after(demo))
            assert_carries(machine, after(demo))


def kill_push(machine: Any, wanted: NodeManifest, present: MachineManifest | None, call: int, when: str) -> None:
    machine.die_at(call, when)
    with pytest.raises(ShellError, match="exit code -9"):
        push(machine, wanted, present, ALL)
    machine.die_at(FOR_EVER)
