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

from attrs import frozen

from kubo_sdk.errors import HostError, NotFound, ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import Credential, CredentialStore, Kind, Text
from kubo_sdk.private_files import make_private_directory

LEAF = "director-notes"
LOCK = "notes.lock"


@frozen(kw_only=True)
class DirectorNotes:
    """Instances by id.  Nobody repairs what is ``paused``, or anything while ``cluster_paused``; ``stopped`` were
    stopped on purpose.
    """

    cluster_paused: bool = False
    paused: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


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
        )
    except (ValueError, AttributeError, TypeError):
        raise unreadable from None


def write_notes(store: CredentialStore, cluster: ClusterId, notes: DirectorNotes) -> None:
    """Keep *notes* instead of those that were there.  Whoever changes some uses `change_notes`."""
    name = cluster.credential(LEAF)
    if notes == NOTHING:
        store.delete(name)
        return
    told = {"cluster_paused": notes.cluster_paused, "paused": _names(notes.paused), "stopped": _names(notes.stopped)}
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


def _names(names: object) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, list | tuple):
        raise TypeError("no list of names")
    return tuple(sorted({str(name) for name in names}))
