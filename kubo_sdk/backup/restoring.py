"""Restorer: brings a backup back, into the cluster it was taken of or into machines made for it.

A mark among the director's notes says that a restore is half done.  Until it is gone nobody plans anything else, and
the same restore goes on where it was cut off, from what the machines and the store tell.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import attrs
from attrs import frozen

from kubo_sdk.backup.archive import Content
from kubo_sdk.backup.backups import CREDENTIALS, Backups
from kubo_sdk.backup.credentials import Kept, from_plain, to_put
from kubo_sdk.backup.fitness import check_fits
from kubo_sdk.backup.names import BackupName
from kubo_sdk.engine.cancel import CancellableClock
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError, LeaseHeld, Unavailable, UnsafePlan
from kubo_sdk.events import MachinesAwaited
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.etcd import data_directory
from kubo_sdk.notes import DirectorNotes, RestoreMark, change_notes, read_notes
from kubo_sdk.observe import observe
from kubo_sdk.operation import Operation
from kubo_sdk.pki.provenance import own_authority
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.restore import RESTORE, has_data, plan_data, plan_ground, plan_stage, restarts
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.context import RunState, SnapshotToRestore
from kubo_sdk.steps.credentials import keep_as_it_was
from kubo_sdk.steps.restore import discard_snapshot
from kubo_sdk.upkeep import silent


@frozen(kw_only=True)
class Restorer:
    """``operation`` begins one of that name; ``reviewed`` lets the plugins object to a plan.  ``place`` is the SDK's
    directory of this cluster.
    """

    spec: ClusterSpec
    providers: Providers
    releases: ReleaseSource
    clock: Clock
    place: Path
    backups: Backups
    operation: Callable[[str], Operation]
    reviewed: Callable[[Plan], Plan]

    def restore(self, name: str, *, force: bool) -> BackupName:
        """Bring back the backup of that name, or the ``latest``, and return which it was.

        UnsafePlan where it does not fit, and, without *force*, where there is data that it would replace.
        """
        backup = self.backups.find(name)
        content = self.backups.open(backup)
        what = f"backup {backup}"
        check_fits(content.manifest, self.spec, self.releases.find(self.spec.kubernetes.version), what)
        kept = from_plain(content.documents.get(CREDENTIALS), what)
        operation = self.operation(RESTORE)
        with operation.leased():
            self._restore(operation, backup, content, kept, force=force)
        return backup

    def _restore(
        self, operation: Operation, backup: BackupName, content: Content, kept: tuple[Kept, ...], *, force: bool
    ) -> None:
        observation, state = self._look_after_boots(operation)
        mark = self._mark(backup, observation, force=force)
        snapshot = SnapshotToRestore(
            token=mark.token,
            size=content.manifest.snapshot_bytes,
            sha256=content.manifest.snapshot_sha256,
            open=partial(self.backups.snapshot, backup),
        )
        if self._ground(observation).is_empty:
            # Before anything is changed: this is what may fail for want of room.
            self._stage(operation, observation, state, snapshot)
        self._note(mark)
        self._bring_back(kept)
        observation, state = self._observe()
        operation.run(self.reviewed(self._ground(observation)), state)
        observation, state = self._observe()
        state.snapshot = snapshot
        operation.run(self.reviewed(plan_data(self.spec, observation)), state)
        observation, state = self._observe()
        operation.run(self.reviewed(self._rest(observation)), state)
        self._note(None)

    def _look_after_boots(self, operation: Operation) -> tuple[Observation, RunState]:
        """Machines of a restore that was cut off may still be booting.  What planning says of the others, it says."""
        seconds, clock = self.spec.health.startup_seconds, CancellableClock(operation.clock, operation.stop)
        look = self._observe()
        if not silent(look[0]):
            return look
        now = operation.clock.now()
        operation.emit(MachinesAwaited(cluster=self.spec.id, at=now, instances=silent(look[0]), seconds=seconds))
        with contextlib.suppress(Unavailable):
            return wait_until(self._look_if_booted, what="the boot of machines", timeout=seconds, clock=clock)
        return self._observe()

    def _look_if_booted(self) -> tuple[Observation, RunState] | None:
        look = self._observe()
        return None if silent(look[0]) else look

    def _ground(self, observation: Observation) -> Plan:
        return plan_ground(self.spec, observation, self.providers.abilities)

    def _stage(
        self, operation: Operation, observation: Observation, state: RunState, snapshot: SnapshotToRestore
    ) -> None:
        state.snapshot = snapshot
        try:
            operation.run(self.reviewed(plan_stage(self.spec, observation)), state)
        except KuboError:
            if self._notes().restoring is None:
                self._discard(state)
            raise

    def _discard(self, state: RunState) -> None:
        for member in self.spec.instances(Role.ETCD):
            with contextlib.suppress(KuboError):
                shell = self.providers.cpi.open_shell(state.vms[member.id])
                discard_snapshot(shell, data_directory(self.spec.group(member.group)))

    def _rest(self, observation: Observation) -> Plan:
        """What the restored data does not have as the spec says, and new starts of those who remember the old."""
        repair = attrs.evolve(restarts(observation), leave=self._notes().stopped)
        return plan_deploy(self.spec, observation, self.providers.abilities, repair, operation=RESTORE)

    def _mark(self, backup: BackupName, observation: Observation, *, force: bool) -> RestoreMark:
        """The mark of the restore that goes on here, or of a new one.  Writes nothing."""
        here, mark = f"{socket.gethostname()}:{self.place}", self._notes().restoring
        if mark is not None and mark.backup == str(backup):
            if mark.director != here and not force:
                raise LeaseHeld(
                    f"a restore of cluster {self.spec.id} was begun at {mark.director}; let it end there, or, if "
                    "nobody works there any more: --force"
                )
            return attrs.evolve(mark, director=here)
        if mark is not None and not force:
            raise UnsafePlan(
                f"a restore of backup {mark.backup} into cluster {self.spec.id} is half done; finish it: "
                f"kubo restore {mark.backup}, or begin this one in its place: --force"
            )
        if has_data(observation) and not force:
            raise UnsafePlan(
                f"cluster {self.spec.id} has data, and what was stored since {backup.taken_at:%Y-%m-%d %H:%M:%S} UTC "
                "would be lost; if that is what you want: --force"
            )
        return RestoreMark(backup=str(backup), token=f"{RESTORE}-{secrets.token_hex(4)}", director=here)

    def _bring_back(self, kept: Iterable[Kept]) -> None:
        store, named = self.providers.credential_store, self.spec.id.credential
        signers = {named(each.leaf): own_authority(each.leaf, each.value) for each in kept}
        authorities = {name: certificate for name, certificate in signers.items() if certificate is not None}
        missing = to_put(store, self.spec.id, kept)
        for each in sorted(missing, key=lambda each: named(each.leaf) not in authorities):
            keep_as_it_was(store, named(each.leaf), each, authorities)

    def _observe(self) -> tuple[Observation, RunState]:
        return observe(self.spec, self.providers, self.releases, now=self.clock.now())

    def _notes(self) -> DirectorNotes:
        return read_notes(self.providers.credential_store, self.spec.id)

    def _note(self, mark: RestoreMark | None) -> None:
        store = self.providers.credential_store
        change_notes(store, self.spec.id, self.place, lambda notes: attrs.evolve(notes, restoring=mark, recovering=""))
