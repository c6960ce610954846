"""DirectorNotes: what people told the director about a cluster, where every director of the cluster finds it.

It lies in the credential store, because that works while the cluster's API is down.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from kubo_sdk.errors import HostError, NotFound, ProviderError, UnsafePlan
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.credentials import Credential, CredentialStore, Kind, Text
from kubo_sdk.private_files import make_private_directory

LEAF = "director-notes"
LOCK = "notes.lock"


@frozen(kw_only=True)
class RestoreMark:
    """A restore that began and did not end: of which backup, what it calls itself on the machines, and from where."""

    backup: str
    token: str
    director: str


@frozen(kw_only=True)
class DirectorNotes:
    """Instances by id.  Nobody repairs what is ``paused``, or anything while ``cluster_paused``; ``stopped`` were
    stopped on purpose.  ``rotating``: (credential leaf, mark of what it was at the beginning) of every authority and
    key whose rotation is not at its end.  ``restoring`` while a restore is half done; ``recovering`` the
    etcd member that is to go on alone, while that is half done.
    """

    cluster_paused: bool = False
    paused: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    rotating: tuple[tuple[str, str], ...] = ()
    restoring: RestoreMark | None = None
    recovering: str = ""


NOTHING = DirectorNotes()


def read_notes(store: CredentialStore, cluster: ClusterId) -> DirectorNotes:
    """The notes; empty ones where there are none.  ProviderError when they cannot be understood."""
    try:
        return notes_in(store.get(cluster.credential(LEAF)))
    except NotFound:
        return NOTHING


def notes_in(credential: Credential) -> DirectorNotes:
    """The notes that *credential* holds."""
    unreadable = ProviderError(f"{credential.name} holds no notes of a director; delete that credential")
    if not isinstance(credential.value, Text):
        raise unreadable
    try:
        told = json.loads(credential.value.text.reveal_bytes())
        return DirectorNotes(
            cluster_paused=bool(told.get("cluster_paused", False)),
            paused=_names(told.get("paused", ())),
            stopped=_names(told.get("stopped", ())),
            rotating=tuple((str(leaf), str(mark)) for leaf, mark in dict(told.get("rotating", {})).items()),
            restoring=_mark(told.get("restoring")),
            recovering=str(told.get("recovering", "")),
        )
    except (ValueError, AttributeError, TypeError, KeyError):
        raise unreadable from None


def refuse_half_done(spec: ClusterSpec, store: CredentialStore) -> None:
    """Raise UnsafePlan while a restore or a recovery is half done: nothing else may be planned from such a cluster."""
    refuse_half_restored(spec, store)
    survivor = read_notes(store, spec.id).recovering
    if survivor:
        raise UnsafePlan(
            f"etcd of cluster {spec.id} is half way to going on with {survivor} alone; finish it: "
            f"kubo recover {survivor}"
        )


def refuse_half_restored(spec: ClusterSpec, store: CredentialStore) -> None:
    """Raise UnsafePlan while a restore is half done."""
    mark = read_notes(store, spec.id).restoring
    if mark is not None:
        raise UnsafePlan(
            f"a restore of backup {mark.backup} into cluster {spec.id} is half done; finish it: "
            f"kubo restore {mark.backup}"
        )


def write_notes(store: CredentialStore, cluster: ClusterId, notes: DirectorNotes) -> None:
    """Keep *notes* instead of those that were there.  Whoever changes some uses `change_notes`."""
    name = cluster.credential(LEAF)
    if notes == NOTHING:
        store.delete(name)
        return
    told = {
        "cluster_paused": notes.cluster_paused,
        "paused": _names(notes.paused),
        "stopped": _names(notes.stopped),
        "rotating": dict(notes.rotating),
        "restoring": None if notes.restoring is None else asdict(notes.restoring),
        "recovering": notes.recovering,
    }
    store.put(name, Kind.JSON, Text(text=Secret(json.dumps(told))))


def change_notes(
    store: CredentialStore, cluster: ClusterId, place: Path, change: Callable[[DirectorNotes], DirectorNotes]
) -> None:
    """Keep what *change* makes of the notes.  Whoever else does that beside *place* on this host waits meanwhile."""
    with _turn(place):
        write_notes(store, cluster, change(read_notes(store, cluster)))


@contextmanager
def _turn(place: Path) -> Iterator[None]:
    try:
        make_private_directory(place)
        lock = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(f"{place} cannot be used: {error.strerror}; choose another state directory") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _mark(told: Any) -> RestoreMark | None:
    if told is None:
        return None
    return RestoreMark(backup=str(told["backup"]), token=str(told["token"]), director=str(told["director"]))


def _names(names: object) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, list | tuple):
        raise TypeError("no list of names")
    return tuple(sorted({str(name) for name in names}))
