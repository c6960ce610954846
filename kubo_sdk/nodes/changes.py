"""Changes: what must happen on a machine so that it carries what is wished for.  Pure."""

from __future__ import annotations

from attrs import frozen

from kubo_sdk.nodes.machine import MachineManifest, target
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.systemd import UNIT_DIRECTORY

NOWHERE = "- -"


@frozen(kw_only=True)
class Changes:
    """All names.  ``write`` and ``remove`` are paths, the rest units.

    ``restart``: were started with something else.  ``unstarted``: were never started, or not to the end.
    ``stop``: are wished for no more.  ``touched``: those whose text or files differ, and those that go.
    """

    write: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    unstarted: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    generation: str = NOWHERE

    @property
    def is_empty(self) -> bool:
        """True when the machine carries everything and every unit was started with it."""
        return not (self.touched_files or self.touched_units or self.unstarted)

    @property
    def touched_files(self) -> tuple[str, ...]:
        """The paths that would be written or removed."""
        return (*self.write, *self.remove)

    @property
    def touched_units(self) -> tuple[str, ...]:
        """The units that would be started anew, or stopped."""
        return self.touched


def changes(wanted: NodeManifest, present: MachineManifest | None) -> Changes:
    """What differs between *wanted* and *present*; None is a machine nothing was put on."""
    ours = tuple(unit.name for unit in wanted.units if target(unit))
    if present is None:
        return Changes(write=tuple(wanted.file_digests), unstarted=ours, touched=ours)
    restart = tuple(
        name for name in ours if present.started.get(name, wanted.unit_digests[name]) != wanted.unit_digests[name]
    )
    unstarted = tuple(name for name in ours if name not in present.started)
    differ = tuple(name for name in ours if present.units.get(name) != wanted.unit_digests[name])
    stop = tuple(sorted(present.units.keys() - wanted.unit_digests.keys()))
    return Changes(
        write=tuple(path for path, digest in wanted.file_digests.items() if present.files.get(path) != digest),
        remove=_removed(wanted, present, stop),
        restart=restart,
        unstarted=unstarted,
        stop=stop,
        touched=tuple(dict.fromkeys((*restart, *differ, *stop))),
        generation=present.generation,
    )


def _removed(wanted: NodeManifest, present: MachineManifest, stop: tuple[str, ...]) -> tuple[str, ...]:
    links = (wants_link(present.targets[name], name) for name in stop if present.targets.get(name))
    return (*sorted(present.files.keys() - wanted.file_digests.keys()), *links)


def wants_link(target_name: str, unit_name: str) -> str:
    """The link that makes *target_name* start the unit."""
    return f"{UNIT_DIRECTORY}/{target_name}.wants/{unit_name}"
