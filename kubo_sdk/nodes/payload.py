"""The tar stream a machine's shell works off: orders, the new manifest and the files that differ.  Pure."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterable, Set

from kubo_sdk.nodes.accounts import SYSUSERS_DIRECTORY
from kubo_sdk.nodes.changes import Changes
from kubo_sdk.nodes.machine import STATE, machine_text
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.ports.node import NodeFile, StartAfter
from kubo_sdk.systemd import UNIT_DIRECTORY

TREE = "tree"


def payload(change: Changes, wanted: NodeManifest, phases: Set[StartAfter], *, on_trial: bool = False) -> bytes:
    """What `script.PUSH` reads.  Units never started before wait unless their phase is in *phases*.

    *on_trial*: the machine keeps what it carries now.
    """
    written = set(change.write)
    files = [file for file in wanted.placed_files if file.path in written]
    lines = orders(change, wanted, phases, files, on_trial=on_trial)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        _add(archive, "control", "".join(f"{line}\n" for line in lines).encode())
        _add(archive, "manifest", machine_text(wanted).encode())
        for file in files:
            _add(archive, _staged(file), file.data(), file.mode)
    return stream.getvalue()


def is_needed(change: Changes, wanted: NodeManifest, phases: Set[StartAfter]) -> bool:
    """False when the machine would be told to do nothing."""
    return bool(change.touched_files or change.restart or change.stop or _due(change, wanted, phases))


def orders(
    change: Changes,
    wanted: NodeManifest,
    phases: Set[StartAfter],
    files: Iterable[NodeFile],
    *,
    on_trial: bool = False,
) -> tuple[str, ...]:
    """One order a line, in the order of their execution: unit files after what they need, starting last."""
    files = tuple(files)
    started = (*change.restart, *_due(change, wanted, phases))
    lines = [
        f"base {change.generation}",
        *_ownership(files),
        "keep" if on_trial else "",
        "begin",
        _order("forget", change.restart),
        _order("directories", sorted({_directory(file) for file in files})),
        *_moves(files),
        _order("stop", change.stop),
        _order("remove", (*change.remove, *(f"{STATE}/started/{name}" for name in change.stop))),
        _order("reload", _units(change.touched_files)),
        _order("start", started),
        "end",
    ]
    return tuple(line for line in lines if line)


def _due(change: Changes, wanted: NodeManifest, phases: Set[StartAfter]) -> tuple[str, ...]:
    waiting = set(change.unstarted)
    return tuple(unit.name for unit in wanted.units if unit.name in waiting and unit.start_after in phases)


def _ownership(files: tuple[NodeFile, ...]) -> list[str]:
    declared = [f"{STATE}/stage/{_staged(file)}" for file in files if _directory(file) == SYSUSERS_DIRECTORY]
    lines = []
    for owner in sorted({file.owner for file in files} - {"root"}):
        lines.append(" ".join(("account", owner, *declared)))
        lines.append(_order(f"own {owner}", (_staged(file) for file in files if file.owner == owner)))
    return lines


def _moves(files: tuple[NodeFile, ...]) -> list[str]:
    directories = dict.fromkeys(_directory(file) for file in files)
    return [
        _order(f"move {directory}", (_staged(file) for file in files if _directory(file) == directory))
        for directory in sorted(directories, key=lambda directory: directory.startswith(UNIT_DIRECTORY))
    ]


def _order(verb: str, names: Iterable[str]) -> str:
    listed = " ".join(names)
    return f"{verb} {listed}" if listed else ""


def _directory(file: NodeFile) -> str:
    return posixpath.dirname(file.path)


def _staged(file: NodeFile) -> str:
    return TREE + file.path


def _units(paths: Iterable[str]) -> list[str]:
    """The units these files are about; one in a directory below could be about any, which is a star."""
    names = (path.removeprefix(f"{UNIT_DIRECTORY}/") for path in paths if path.startswith(f"{UNIT_DIRECTORY}/"))
    return sorted({"*" if "/" in name else name for name in names})


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o600) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = mode
    archive.addfile(member, io.BytesIO(data))
