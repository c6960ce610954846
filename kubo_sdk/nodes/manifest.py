"""NodeManifest: everything one machine should carry, with a digest for each file and unit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.node import NodeFile, Unit
from kubo_sdk.systemd import UNIT_DIRECTORY


@frozen(kw_only=True)
class NodeManifest:
    """The files and units of one machine.

    ``file_digests``: by path, over content, mode and owner; the unit files themselves are among them.
    ``unit_digests``: by unit name, over its text and the files that restart it.  ``release``: which one its units run.
    """

    files: tuple[NodeFile, ...] = field(repr=False)
    units: tuple[Unit, ...] = field(repr=False)
    file_digests: Mapping[str, str] = field(repr=False, hash=False)
    unit_digests: Mapping[str, str] = field(repr=False, hash=False)
    release: CarriedRelease | None = None

    @property
    def placed_files(self) -> tuple[NodeFile, ...]:
        """Every file to be put on the machine, the unit files last."""
        return (*self.files, *(unit_file(unit) for unit in self.units))

    def to_json(self) -> dict[str, Any]:
        """What is there, without any content.  A secret has no digest here: a short one could be found by trying."""
        return {
            "files": {file.path: self._summary(file) for file in self.placed_files},
            "units": {
                unit.name: {"digest": self.unit_digests[unit.name], "start_after": unit.start_after.name.lower()}
                for unit in self.units
            },
        }

    def _summary(self, file: NodeFile) -> dict[str, Any]:
        known = {} if isinstance(file.content, Secret) else {"digest": self.file_digests[file.path]}
        return {"mode": f"{file.mode:04o}", "owner": file.owner, **known}


def unit_file(unit: Unit) -> NodeFile:
    """The file systemd reads the unit from."""
    return NodeFile(path=f"{UNIT_DIRECTORY}/{unit.name}", content=unit.text)


def manifest(
    files: tuple[NodeFile, ...], units: tuple[Unit, ...], release: CarriedRelease | None = None
) -> NodeManifest:
    """The manifest of these files and units, whose names must be unique and whose ``restart_on`` must be among them."""
    digests = {file.path: _file_digest(file) for file in (*files, *(unit_file(unit) for unit in units))}
    return NodeManifest(
        files=files,
        units=units,
        file_digests=digests,
        unit_digests={unit.name: _unit_digest(unit, digests) for unit in units},
        release=release,
    )


def _file_digest(file: NodeFile) -> str:
    return hashlib.sha256(b"%o %s\n%s" % (file.mode, file.owner.encode(), file.data())).hexdigest()


def _unit_digest(unit: Unit, file_digests: Mapping[str, str]) -> str:
    lines = [unit.text, *(f"{path} {file_digests[path]}" for path in sorted(set(unit.restart_on)))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
