"""Does on a fake machine what the core's own scripts do on a real one: the files, the manifest, the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubo_sdk.nodes.machine import STATE
from kubo_sdk.nodes.preparation_script import PREPARED
from kubo_sdk.nodes.script import INTERRUPTED, NOTHING_KEPT, OUTDATED
from kubo_sdk.ports.shell import Outcome
from kubo_sdk.systemd import UNIT_DIRECTORY

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

MANIFEST = f"{STATE}/manifest"
NEXT = f"{STATE}/manifest.next"
STARTED = f"{STATE}/started/"
PREVIOUS = f"{STATE}/previous/"
KEPT_MANIFEST = f"{PREVIOUS}manifest"
KEPT_STARTED = f"{PREVIOUS}started/"
TREE = f"{PREVIOUS}tree"
BLOCK = 512


def outcome(code: int = 0, stdout: bytes = b"", stderr: bytes = b"") -> Outcome:
    return Outcome(exit_code=code, stdout=stdout, stderr=stderr)


def read(machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    """`script.READ`."""
    text = machine.files.get(MANIFEST, b"")
    if NEXT in machine.files:
        text += b"next\n" + machine.files[NEXT]
    if KEPT_MANIFEST in machine.files:
        text += b"previous\n" + machine.files[KEPT_MANIFEST]
    if PREPARED in machine.files:
        text += b"prepared " + machine.files[PREPARED]
    marks = (path for path in machine.files if path.startswith(STARTED))
    lines = (
        b"started %s %s\n" % (machine.files[path].strip(), path[len(STARTED) :].encode()) for path in sorted(marks)
    )
    return outcome(stdout=text + b"".join(lines))


def push(machine: FakeMachine, _arguments: list[str], stdin: bytes) -> Outcome:
    """`script.PUSH`."""
    if machine.disk_is_full:
        return outcome(2, stderr=b"tar: write error: No space left on device")
    orders = _Orders(machine, unpacked(stdin))
    for line in orders.control():
        verb, *words = line.split(" ")
        if verb == "base" and words != [_generation(machine, MANIFEST), _generation(machine, NEXT)]:
            return outcome(OUTDATED)
        perform = getattr(orders, f"do_{verb}", None)
        if perform is not None:
            perform(words)
    return outcome(stdout=orders.told)


class _Orders:
    """The orders of one push.  Accounts, owners, directories and reloads leave no trace on a fake machine."""

    def __init__(self, machine: FakeMachine, staged: dict[str, bytes]) -> None:
        self._machine, self._staged = machine, staged
        self.told = b""

    def control(self) -> list[str]:
        return self._staged["control"].decode().splitlines()

    def do_keep(self, _words: list[str]) -> None:
        files = self._machine.files
        if KEPT_MANIFEST in files or NEXT in files or MANIFEST not in files:
            return
        prove(self._machine, [], b"")
        kept = [path for path in _names(files[MANIFEST], "file") if path in files]
        started = [path for path in files if path.startswith(STARTED)]
        files.update({TREE + path: files[path] for path in kept})
        files.update({KEPT_STARTED + path[len(STARTED) :]: files[path] for path in started})
        files[KEPT_MANIFEST] = files[MANIFEST]

    def do_begin(self, _words: list[str]) -> None:
        self._machine.files[NEXT] = self._staged["manifest"]

    def do_forget(self, names: list[str]) -> None:
        self._machine.files.update({STARTED + name: b"-\n" for name in names})

    def do_move(self, words: list[str]) -> None:
        directory = words[0].rstrip("/")
        for name in words[1:]:
            content = self._machine.cloud.shared(self._staged[name])
            self._machine.files[f"{directory}/{name.rpartition('/')[2]}"] = content

    def do_stop(self, names: list[str]) -> None:
        for name in names:
            self._machine.stop(name)

    def do_remove(self, paths: list[str]) -> None:
        for path in paths:
            self._machine.files.pop(path, None)
            if path.startswith(UNIT_DIRECTORY) and ".wants/" in path:
                self._machine.links.discard(path.rpartition("/")[2])

    def do_start(self, names: list[str]) -> None:
        self.told += _start(self._machine, names, NEXT)

    def do_end(self, _words: list[str]) -> None:
        self._machine.files[MANIFEST] = self._machine.files.pop(NEXT)


def start(machine: FakeMachine, _arguments: list[str], stdin: bytes) -> Outcome:
    """`script.START`."""
    if NEXT in machine.files or MANIFEST not in machine.files:
        return outcome(INTERRUPTED)
    return outcome(stdout=_start(machine, stdin.decode().split(), MANIFEST))


def prove(machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    """`script.PROVE`."""
    for path in [path for path in machine.files if path.startswith(PREVIOUS)]:
        del machine.files[path]
    return outcome()


def roll_back(machine: FakeMachine, _arguments: list[str], _stdin: bytes) -> Outcome:
    """`script.ROLL_BACK`."""
    files = machine.files
    if KEPT_MANIFEST not in files:
        return outcome(NOTHING_KEPT)
    kept = files[KEPT_MANIFEST]
    there = b"".join(files.get(path, b"") for path in (MANIFEST, NEXT))
    for name in set(_names(there, "unit")) - set(_names(kept, "unit")):
        machine.stop(name)
        machine.links.discard(name)
        files.pop(STARTED + name, None)
    for path in set(_names(there, "file")) - set(_names(kept, "file")):
        files.pop(path, None)
    files.update({path[len(TREE) :]: files[path] for path in tuple(files) if path.startswith(TREE + "/")})
    started = [path[len(KEPT_STARTED) :] for path in files if path.startswith(KEPT_STARTED)]
    told = _start(machine, started, KEPT_MANIFEST)
    files[MANIFEST] = kept
    files.pop(NEXT, None)
    prove(machine, [], b"")
    return outcome(stdout=told)


def _names(manifest: bytes, kind: str) -> list[str]:
    """The names of the files, or of the units, that a manifest lists."""
    lines = (line.split(" ") for line in manifest.decode().splitlines())
    return [words[2] for words in lines if words[0] == kind and len(words) > 2]


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of a tar stream.  Only what `nodes.payload` writes: plain files, long names in GNU's way."""
    files, at, long = {}, 0, ""
    while at + BLOCK <= len(archive) and archive[at]:
        header = archive[at : at + BLOCK]
        size = int(header[124:136].rstrip(b"\0 ") or b"0", 8)
        content = archive[at + BLOCK : at + BLOCK + size]
        name = long or header[:100].rstrip(b"\0").decode()
        if header[156:157] == b"L":
            long = content.rstrip(b"\0").decode()
        else:
            files[name], long = content, ""
        at += BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK
    return files


def _generation(machine: FakeMachine, path: str) -> str:
    text = machine.files.get(path)
    return "-" if text is None else text.split(b"\n", 1)[0].split(b" ")[2].decode()


def _start(machine: FakeMachine, wanted: list[str], manifest: str) -> bytes:
    """The units of the list that do not run with what the manifest says."""
    fresh: list[str] = []
    again: list[str] = []
    for line in machine.files[manifest].decode().splitlines():
        words = line.split(" ")
        if words[0] != "unit" or words[3] == "-" or words[2] not in wanted:
            continue
        digest, name = words[1].encode(), words[2]
        was = machine.files.get(STARTED + name, b"").strip()
        if was != digest:
            (again if was else fresh).append(name)
            machine.files[STARTED + name] = digest + b"\n"
            machine.links.add(name)
    if not fresh and not again:
        return b""
    for name in again:
        machine.unit(name).restarts = 0
        machine.restart(name)
    for name in fresh:
        machine.start(name)
    return f"restarted {' '.join(again)}\nstarted {' '.join(fresh)}\n".encode()
