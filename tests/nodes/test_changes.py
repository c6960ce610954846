"""What differs between a wish and a machine: exactly what is told, and nothing once it is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.nodes.changes import changes
from kubo_sdk.nodes.machine import MachineManifest, machine_text, parse_machine
from kubo_sdk.nodes.manifest import NodeManifest, manifest
from kubo_sdk.nodes.payload import orders
from kubo_sdk.ports.node import NodeFile, StartAfter, Unit

NAMES = st.sampled_from("abcde")
TEXTS = st.sampled_from(["1", "2", "3"])
SERVICE = "[Service]\nExecStart=/bin/true\n# {}\n\n[Install]\nWantedBy=multi-user.target\n"
SOMEBODY_ELSES = "[Service]\nExecStart=/bin/true\n"


@st.composite
def wishes(draw: st.DrawFn) -> NodeManifest:
    """Some files, and some units of which each restarts on some of them."""
    files = tuple(
        NodeFile(path=f"/etc/{name}", content=text) for name, text in draw(st.dictionaries(NAMES, TEXTS)).items()
    )
    units = tuple(
        Unit(
            name=f"{name}.service",
            text=SERVICE.format(text),
            restart_on=tuple(file.path for file in files if draw(st.booleans())),
            start_after=draw(st.sampled_from(StartAfter)),
        )
        for name, text in draw(st.dictionaries(NAMES, TEXTS)).items()
    )
    return manifest(files, units)


def remembered(wanted: NodeManifest, begun: NodeManifest | None = None) -> MachineManifest:
    """A machine that carries and runs all of *wanted*, and on which the change to *begun* was cut off."""
    started = "".join(f"started {digest} {name}\n" for name, digest in wanted.unit_digests.items())
    cut_off = f"next\n{machine_text(begun)}" if begun else ""
    found = parse_machine(machine_text(wanted) + cut_off + started)
    assert found is not None
    return found


@given(wishes())
def test_a_machine_that_carries_the_wish_differs_in_nothing(wanted: NodeManifest) -> None:
    assert changes(wanted, remembered(wanted)).is_empty


@given(wishes(), wishes())
def test_only_what_differs_is_written_removed_and_restarted(old: NodeManifest, new: NodeManifest) -> None:
    change = changes(new, remembered(old))
    before, after = old.file_digests, new.file_digests
    assert set(change.write) == {path for path, digest in after.items() if before.get(path) != digest}
    assert {path for path in change.remove if ".wants/" not in path} == before.keys() - after.keys()
    assert set(change.stop) == old.unit_digests.keys() - new.unit_digests.keys()
    assert set(change.restart) == {
        name for name, digest in new.unit_digests.items() if old.unit_digests.get(name, digest) != digest
    }
    assert set(change.unstarted) == new.unit_digests.keys() - old.unit_digests.keys()


@given(wishes(), wishes(), wishes())
def test_after_a_change_that_was_cut_off_everything_is_written_and_its_files_are_known(
    old: NodeManifest, begun: NodeManifest, new: NodeManifest
) -> None:
    change = changes(new, remembered(old, begun))
    assert set(change.write) == set(new.file_digests)
    stray = (old.file_digests.keys() | begun.file_digests.keys()) - new.file_digests.keys()
    assert stray <= set(change.remove)


@given(wishes())
def test_a_machine_nothing_was_put_on_gets_everything(wanted: NodeManifest) -> None:
    change = changes(wanted, None)
    assert change.write == tuple(wanted.file_digests)
    assert change.unstarted == tuple(wanted.unit_digests)


@given(wishes(), wishes())
def test_a_change_ends_with_starting_and_begins_by_looking_whether_the_machine_has_moved(
    old: NodeManifest, new: NodeManifest
) -> None:
    present = remembered(old)
    verbs = [line.split()[0] for line in orders(changes(new, present), new, set(StartAfter), new.placed_files)]
    order = [
        "base",
        "account",
        "own",
        "begin",
        "forget",
        "directories",
        "move",
        "stop",
        "remove",
        "reload",
        "start",
        "end",
    ]
    assert verbs == sorted(verbs, key=order.index)
    assert verbs[0] == "base"
    assert verbs[-1] == "end"


def test_a_unit_nobody_installs_is_put_there_and_left_to_whoever_starts_it() -> None:
    wanted = manifest((), (Unit(name="by-timer.service", text=SOMEBODY_ELSES),))
    change = changes(wanted, None)
    assert change.write == ("/etc/systemd/system/by-timer.service",)
    assert change.unstarted == ()
    assert changes(wanted, remembered(wanted)).is_empty
