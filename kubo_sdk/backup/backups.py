"""Backups: takes the backups of one cluster, lists, opens and forgets them.  Changes nothing about the cluster.

It needs no lease: a backup may be wanted most while somebody else is at work, or while the API is away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import frozen

from kubo_sdk.backup.archive import Content, read_archive, snapshot_in, write_archive
from kubo_sdk.backup.credentials import kept_credentials, to_plain
from kubo_sdk.backup.keys import BackupKey
from kubo_sdk.backup.manifest import Manifest
from kubo_sdk.backup.names import BackupName, Why
from kubo_sdk.backup.places import Place, Writing
from kubo_sdk.backup.retention import expired
from kubo_sdk.backup.sealing import SealingWriter, unsealed
from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.config.written import spec_document
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import Conflict, KuboError, NotFound, ProviderError, Unavailable
from kubo_sdk.events import BackupFailed, BackupTaken, Event
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import refuse_half_done
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.credentials import User, value_of
from kubo_sdk.providers import Providers
from kubo_sdk.steps.access import etcd_client
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.credentials import read_credentials

KUBERNETES = "/registry/"
# etcd may be long in opening a large database for a snapshot.
PATIENCE = 15.0
CREDENTIALS, SPEC = "credentials", "spec"


@frozen(kw_only=True)
class Backup:
    """One backup that is there.  ``size`` in bytes, as it lies there: compressed and sealed."""

    name: BackupName
    size: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        taken_at = self.name.taken_at.isoformat()
        return {"name": str(self.name), "taken_at": taken_at, "why": str(self.name.why), "bytes": self.size}


@frozen(kw_only=True)
class Backups:
    """The backups of one cluster in one place."""

    spec: ClusterSpec
    providers: Callable[[], Providers]
    place: Place
    key: BackupKey
    clock: Clock
    emit: Callable[[Event], None]

    def list(self) -> tuple[Backup, ...]:
        """Those that are whole and visible, oldest first.  What else lies there is nobody's business."""
        named = ((BackupName.parse(each.name), each.size) for each in self.place.list())
        found = [Backup(name=name, size=size) for name, size in named if name is not None]
        return tuple(sorted(found, key=lambda backup: backup.name))

    def take(self, why: Why = Why.MANUAL) -> Backup:
        """Take one, read it back, make it visible; then forget those the spec keeps no longer.

        Raises UnsafePlan while a restore is half done, Unavailable when no etcd member serves, and what the place says.
        """
        started = self.clock.monotonic()
        with self._failures_told():
            name, manifest, size = self._take(why)
            removed = self.forget_expired()
        self.emit(
            BackupTaken(
                cluster=self.spec.id,
                at=self.clock.now(),
                backup=str(name),
                objects=manifest.objects,
                bytes=size,
                seconds=self.clock.monotonic() - started,
                removed=tuple(map(str, removed)),
            )
        )
        return Backup(name=name, size=size)

    def look(self) -> tuple[BackupName, ...]:
        """The names of `list`; what fails is told as an event too."""
        with self._failures_told():
            return tuple(backup.name for backup in self.list())

    def forget_expired(self) -> tuple[BackupName, ...]:
        """Remove the scheduled backups that the spec keeps no longer, and return their names."""
        gone = expired((backup.name for backup in self.list()), self.spec.backup.keep)
        for name in gone:
            self.place.delete(str(name))
        return gone

    def find(self, name: str) -> BackupName:
        """The backup of that name; ``latest`` is the newest.  NotFound says what there is."""
        there = [backup.name for backup in self.list()]
        if name == "latest" and there:
            return there[-1]
        for each in there:
            if str(each) == name:
                return each
        known = f"the newest is {there[-1]}, see: kubo backups" if there else "there is none yet, take one: kubo backup"
        raise NotFound(f"cluster {self.spec.id} has no backup {name} in {self.place.name}; {known}")

    def open(self, name: BackupName) -> Content:
        """What the backup says, after all of it was read and found whole."""
        what = f"backup {name}"
        return read_archive(self._plain(name), what, lambda _piece: None)

    def snapshot(self, name: BackupName) -> Iterator[bytes]:
        """Its snapshot of etcd, in pieces."""
        return snapshot_in(self._plain(name), f"backup {name}")

    @contextlib.contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except KuboError as error:
            self.emit(BackupFailed(cluster=self.spec.id, at=self.clock.now(), error=str(error)))
            raise

    def _plain(self, name: BackupName) -> Iterator[bytes]:
        return unsealed(self.place.read(str(name)), self.key, f"backup {name}")

    def _take(self, why: Why) -> tuple[BackupName, Manifest, int]:
        providers = self.providers()
        refuse_half_done(self.spec, providers.credential_store)
        state = find_machines(self.spec, providers)
        read_credentials(providers.credential_store, self.spec, state)
        client, host, told = self._chosen(state)
        kept = kept_credentials(providers.credential_store, self.spec.id)
        name, size = BackupName.new(told.taken_at, why), _Counter()
        with self.place.write(str(name)) as writing:

            def write(data: bytes) -> None:
                size.count += len(data)
                writing.write(data)

            sealing = SealingWriter(write, self.key)
            documents = ((SPEC, spec_document(self.spec)), (CREDENTIALS, to_plain(kept)))
            manifest = write_archive(sealing.write, documents, client.snapshot(host), told)
            sealing.finish()
            if kept_credentials(providers.credential_store, self.spec.id) != kept:
                raise Conflict(
                    f"credentials of cluster {self.spec.id} changed while the backup was taken; take it again"
                )
            self._verify(writing, name, manifest)
            writing.publish()
        return name, manifest, size.count

    def _verify(self, writing: Writing, name: BackupName, manifest: Manifest) -> None:
        what = f"backup {name}"
        content = read_archive(unsealed(writing.read_back(), self.key, what), what, lambda _piece: None)
        if content.manifest != manifest:
            raise ProviderError(f"{self.place.name} gave back something else than was written; name another backup.to")

    def _chosen(self, state: RunState) -> tuple[EtcdClient, str, Manifest]:
        """etcd, the member that is asked for its database, and what is known of it."""
        client = etcd_client(self.spec, state, timeout=PATIENCE)
        root = value_of(state.credentials, "etcd-root", User)
        client.authenticate(root.username, root.password)
        objects, revision = client.count(KUBERNETES)
        heard: dict[str, tuple[int, str]] = {}
        for host in self._hosts(state):
            try:
                status = client.status(host)
            except KuboError:
                continue
            if not status.learner and client.healthy(host):
                heard[host] = (status.raft_index, status.version)
        if not heard:
            raise Unavailable(
                f"no etcd member of cluster {self.spec.id} serves, so there is nothing to take; kubo check"
            )
        host = max(heard, key=lambda each: heard[each][0])
        manifest = Manifest(
            cluster=str(self.spec.id),
            taken_at=self.clock.now(),
            kubernetes_version=str(self.spec.kubernetes.version),
            etcd_version=heard[host][1],
            revision=revision,
            objects=objects,
        )
        return client, host, manifest

    def _hosts(self, state: RunState) -> Iterable[str]:
        members = (instance.id for instance in self.spec.instances(Role.ETCD))
        return [state.vms[name].address for name in members if name in state.vms and state.vms[name].address]


class _Counter:
    count = 0
