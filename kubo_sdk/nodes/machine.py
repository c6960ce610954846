"""MachineManifest: what the core has put on a machine, as the machine itself remembers it.

The machine keeps it below `STATE` as plain lines, so that a shell can read it::

    manifest        kubo-manifest 1 ID / release KUBERNETES ETCD TREE / file DIGEST PATH ... /
                    unit DIGEST NAME TARGET ...
    manifest.next   the same, of a change that has begun and not ended
    started/NAME    the digest with which the unit NAME was last started; a dash while that is not sure
    prepared        the digest of the preparation that a machine from a stock image was given
    previous/       while a change is on trial: what was there before it, as manifest, started and tree.tar
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from attrs import field, frozen

from kubo_sdk.errors import Conflict
from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.ports.node import Unit

STATE = "/var/lib/kubo"
HEADER = "kubo-manifest"
FORMAT = "1"
NEXT = "next"
PREVIOUS = "previous"
STARTED = "started"
PREPARED = "prepared"

# A digest nothing has: what was touched by a change that did not end must be written again.
UNKNOWN = "-"
NOTHING = "-"

_WANTED_BY = re.compile(r"^WantedBy=(\S+)$", re.MULTILINE)


@frozen(kw_only=True)
class MachineManifest:
    """What is on a machine.  ``generation`` names this state of it, so that a change can tell it has moved since.

    ``targets``: by unit, the target that starts it at boot, or empty.  ``started``: by unit, the digest it runs with.
    ``releases``: what its units run; more than one after a change that was cut off, none where nobody wrote it down.
    ``on_trial``: what was there before is kept until the new is seen to serve.  Then ``releases`` is what is kept, for
    that is what the machine was last known to run well.  ``prepared``: the digest of its preparation, if it had one.
    """

    generation: str
    files: Mapping[str, str] = field(repr=False, hash=False)
    units: Mapping[str, str] = field(repr=False, hash=False)
    targets: Mapping[str, str] = field(repr=False, hash=False)
    started: Mapping[str, str] = field(repr=False, hash=False)
    releases: tuple[CarriedRelease, ...] = ()
    on_trial: bool = False
    prepared: str = ""


def target(unit: Unit) -> str:
    """The target that starts the unit at boot.  Empty: something else starts it, and the core leaves it to that."""
    found = _WANTED_BY.search(unit.text)
    return found[1] if found else ""


def machine_text(wanted: NodeManifest) -> str:
    """What a machine that carries *wanted* remembers."""
    release = wanted.release
    lines = [f"release {release.kubernetes} {release.etcd} {release.tree}"] if release else []
    lines += [f"file {digest} {path}" for path, digest in wanted.file_digests.items()]
    lines += [f"unit {wanted.unit_digests[unit.name]} {unit.name} {target(unit) or NOTHING}" for unit in wanted.units]
    body = "".join(f"{line}\n" for line in lines)
    return f"{HEADER} {FORMAT} {hashlib.sha256(body.encode()).hexdigest()[:16]}\n{body}"


def parse_machine(text: str) -> MachineManifest | None:
    """Read manifest, ``next`` with manifest.next, ``previous`` with previous/manifest, ``prepared DIGEST``, and one
    ``started DIGEST NAME`` for each unit.  None: nothing there.

    Raises Conflict when a newer version of the SDK wrote it.
    """
    kept, begun, previous, started = _Record(), _Record(), _Record(), {}
    record, prepared = kept, ""
    for line in text.splitlines():
        kind, *words = line.split(" ")
        if kind == NEXT:
            record = begun
        elif kind == PREVIOUS:
            record = previous
        elif kind == STARTED and len(words) == 2:
            started[words[1]] = words[0]
        elif kind == PREPARED and len(words) == 1:
            prepared = words[0]
        else:
            record.read(kind, words)
    if kept.id == begun.id == NOTHING:
        return None
    interrupted = begun.id != NOTHING
    files = {**kept.files, **begun.files}
    on_trial = previous.id != NOTHING
    running = (previous,) if on_trial else (kept, begun)
    return MachineManifest(
        generation=f"{kept.id} {begun.id}",
        files=dict.fromkeys(files, UNKNOWN) if interrupted else files,
        units={**kept.units, **begun.units},
        targets={**kept.targets, **begun.targets},
        started=started,
        releases=tuple(dict.fromkeys(record.release for record in running if record.release)),
        on_trial=on_trial,
        prepared=prepared,
    )


class _Record:
    """One manifest while it is read.  Lines that make no sense are as good as absent: they are written again."""

    def __init__(self) -> None:
        self.id = NOTHING
        self.release: CarriedRelease | None = None
        self.files: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self.targets: dict[str, str] = {}

    def read(self, kind: str, words: list[str]) -> None:
        match kind, words:
            case "kubo-manifest", [version, id]:
                if version != FORMAT:
                    raise Conflict(f"the machine was configured by a newer kubo-sdk (manifest {version}); use that one")
                self.id = id
            case "release", [kubernetes, etcd, tree]:
                self.release = _release(kubernetes, etcd, tree)
            case "file", [digest, path]:
                self.files[path] = digest
            case "unit", [digest, name, target]:
                self.units[name] = digest
                self.targets[name] = "" if target == NOTHING else target
            case _:
                pass


def _release(kubernetes: str, etcd: str, tree: str) -> CarriedRelease | None:
    try:
        return CarriedRelease(kubernetes=KubernetesVersion.parse(kubernetes), etcd=etcd, tree=tree)
    except ValueError:
        return None
