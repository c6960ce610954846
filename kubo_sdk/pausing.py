"""Pausing: tells every director of a cluster to leave it, or single instances, alone; and to look after them again.

Done without the cluster's lease: who wants peace wants it while a director is at work.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from kubo_sdk.errors import NotFound
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import DirectorNotes, change_notes
from kubo_sdk.ports.credentials import CredentialStore


def pause(spec: ClusterSpec, store: CredentialStore, place: Path, instance_id: str | None) -> None:
    """Nobody repairs that instance, or anything (None), until `resume`.  NotFound names the instances there are."""
    _check(spec, instance_id)

    def change(notes: DirectorNotes) -> DirectorNotes:
        if instance_id is None:
            return attrs.evolve(notes, cluster_paused=True)
        return attrs.evolve(notes, paused=(*notes.paused, instance_id))

    change_notes(store, spec.id, place, change)


def resume(spec: ClusterSpec, store: CredentialStore, place: Path, instance_id: str | None) -> None:
    """Take `pause` of the same back.  What is not paused stays so."""
    _check(spec, instance_id)

    def change(notes: DirectorNotes) -> DirectorNotes:
        if instance_id is None:
            return attrs.evolve(notes, cluster_paused=False)
        return attrs.evolve(notes, paused=tuple(each for each in notes.paused if each != instance_id))

    change_notes(store, spec.id, place, change)


def _check(spec: ClusterSpec, instance_id: str | None) -> None:
    there = [instance.id for instance in spec.instances()]
    if instance_id is not None and instance_id not in there:
        raise NotFound(f"cluster {spec.id} has no instance {instance_id!r}; there are: {', '.join(there)}")
