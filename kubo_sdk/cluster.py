"""Cluster: the public API.  Every operation plans first; only `apply`, `deploy` and `delete` act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kubo_sdk.adopting import starting_point
from kubo_sdk.backup import Backup, scheduled
from kubo_sdk.cluster_parts import ClusterParts
from kubo_sdk.config import load
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import ConfigError, NotFound, PlanOutdated
from kubo_sdk.events import Observer
from kubo_sdk.kubeconfig import admin_kubeconfig
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.status import ClusterStatus
from kubo_sdk.model.task import Task, TaskSummary
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.monitor import watch
from kubo_sdk.moving import Copied
from kubo_sdk.observe import find_vm
from kubo_sdk.operation import JOURNAL, Operation
from kubo_sdk.pausing import pause, resume
from kubo_sdk.planning.heal import HEAL
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.problems import Problem
from kubo_sdk.planning.rotation import Stage, stage_named
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.shell import Shell
from kubo_sdk.status import read_status
from kubo_sdk.tasks import read_task, read_tasks
from kubo_sdk.upgrading import UpgradeCheck


class Cluster(ClusterParts):
    """One cluster, as its spec wishes it.

    ``state_dir`` holds what the SDK keeps on this host (credentials, lease, journal), owner-only; ``cache_dir`` what
    can be made again (releases).  Relative paths of the spec start at ``base_dir``.  ``observers`` are called with
    every event, in the thread where it happens.  ``clock`` is where time comes from; tests bring one of their own.
    """

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        plugins: Plugins | None = None,
        state_dir: Path | None = None,
        cache_dir: Path | None = None,
        observers: Sequence[Observer] = (),
        cancel: CancelToken | None = None,
        clock: Clock | None = None,
    ) -> Cluster:
        """Read the spec file at *path*; ConfigError carries every problem with file and line."""
        path = Path(path)
        return cls(
            load(path),
            plugins=plugins,
            state_dir=state_dir,
            cache_dir=cache_dir,
            base_dir=path.resolve().parent,
            observers=observers,
            cancel=cancel,
            clock=clock,
        )

    @classmethod
    def adopt(
        cls,
        start: Mapping[str, Any],
        *,
        plugins: Plugins | None = None,
        state_dir: Path | None = None,
        cache_dir: Path | None = None,
        base_dir: Path | None = None,
    ) -> Cluster:
        """The cluster whose spec and journal are lost, found again; changes nothing.

        *start* says where to look, with the keys of a spec: ``name``, ``director``, ``cpi``, ``credential_store``.  The
        spec is the one it was last deployed from, or worked out from what is there, as ``adopted`` of the result tells.
        NotFound when nothing is there.
        """
        first = cls(starting_point(start), plugins=plugins, state_dir=state_dir, cache_dir=cache_dir, base_dir=base_dir)
        found = first._found()
        cluster = cls(found.spec, plugins=plugins, state_dir=state_dir, cache_dir=cache_dir, base_dir=base_dir)
        cluster.adopted = found
        return cluster

    def plan(self) -> Plan:
        """What `deploy` would do now.  Changes nothing.  Raises UnsafePlan where a limit or a plugin objects."""
        return self._plan()[0]

    def apply(self, plan: Plan) -> None:
        """Run *plan*.  PlanOutdated when the world moved since it was made; LeaseHeld while another process works."""
        operation = self._operation(plan.operation)
        with operation.leased():
            current, state = self._plan_delete(plan.keeps_disks) if plan.operation == "delete" else self._plan()
            if current.fingerprint != plan.fingerprint:
                raise PlanOutdated(f"cluster {self.spec.id} changed since the plan was made; plan again")
            self._upkeep.apply(operation, plan, state)
            _forget(operation, plan)

    def deploy(self, *, force: bool = False) -> None:
        """Plan and apply under one lease: create what is missing, change what differs, replace what must be.

        Running machines change few at a time, as ``update`` of the spec says.  *force*: a master or etcd member that
        is the last to serve may be away while it is replaced; UnsafePlan without it.
        Machines that do not answer may still be booting and get ``health.startup_seconds``.
        """
        self._upkeep.deploy(away=force)

    def plan_delete(self, *, keep_disks: bool = False) -> Plan:
        """What `delete` would do now.  Changes nothing."""
        return self._plan_delete(keep_disks)[0]

    def delete(self, *, keep_disks: bool = False) -> None:
        """Take the cluster away: machines, disks, network, names, credentials, and what the SDK kept about it.

        With *keep_disks* the disks and the credentials stay, so that a later deploy goes on with the same data.
        """
        operation = self._operation("delete")
        with operation.leased():
            plan, state = self._plan_delete(keep_disks)
            operation.run(plan, state)
            _forget(operation, plan)

    def status(self) -> ClusterStatus:
        """How the cluster is now, within two seconds.  A machine that does not answer is a finding, not an error."""
        return read_status(self.spec, self.providers, self._clock)

    def check(self) -> tuple[Problem, ...]:
        """What is wrong now, each with what can be done about it.  Changes nothing."""
        return self._healer().check()

    def heal(self, resolutions: Mapping[str, str] | None = None, *, auto: bool = False) -> tuple[Problem, ...]:
        """Resolve problems once, by their ids as `check` tells them; return what is wrong afterwards.

        With *auto* every other problem gets its default, which destroys nothing.  Neither grace times nor the meltdown
        brake hold back what somebody asks for.  Raises ConfigError where there is no such problem or resolution,
        UnsafePlan where etcd's majority would suffer or the cluster is paused.
        """
        self._healer().heal(resolutions or {}, auto=auto, unfinished=self._is_unfinished)
        return self.check()

    def monitor(self, stop: CancelToken | None = None, *, once: bool = False) -> None:
        """Watch the cluster and repair it, as ``health`` of the spec says, until *stop* is set; no error ends it.
        Backups are taken when they are due.

        With *once*, end as soon as nothing is wrong that time or a repair may change.
        """
        stop = stop or self._cancel
        backups = self._backups if self.spec.backup.to and not once else None
        with scheduled(backups):
            watch(self._healer(stop), self._operation(HEAL).emit, stop, once=once, unfinished=self._is_unfinished)

    def pause(self, instance_id: str | None = None) -> None:
        """Have every director leave that instance alone, or (None) the whole cluster, until `resume`."""
        pause(self.spec, self.providers.credential_store, self._place, instance_id)

    def resume(self, instance_id: str | None = None) -> None:
        """Take `pause` of the same back."""
        resume(self.spec, self.providers.credential_store, self._place, instance_id)

    def recreate(self, instance_id: str, *, force: bool = False) -> None:
        """Replace that instance's machine, after moving away what it serves; its disk comes with it.

        UnsafePlan where nothing would serve meanwhile; *force* accepts that.
        """
        self._upkeep.recreate(instance_id, force=force)

    def stop(self, instance_id: str, *, force: bool = False) -> None:
        """Take that instance out of service until `start`; nobody takes it for a failure.  *force* as in `recreate`."""
        self._upkeep.stop(instance_id, force=force)

    def start(self, instance_id: str) -> None:
        """Put an instance that `stop` took out of service back."""
        self._upkeep.start(instance_id)

    def restart(self, instance_id: str, *, force: bool = False) -> None:
        """Restart what runs on that instance, after moving away what it serves.  *force* as in `recreate`."""
        self._upkeep.restart(instance_id, force=force)

    def recover_etcd(self, survivor: str | None = None, *, force: bool = False) -> None:
        """Go on with the data of one etcd member after the majority is lost; the others come back empty.

        What only the others had is lost, so UnsafePlan without *force*, and wherever a majority still serves.  One that
        was cut off goes on without *force*; until then nothing else is planned.
        """
        self._recovery.recover(survivor, force=force)

    def upgrade(
        self,
        version: KubernetesVersion | str | None = None,
        *,
        through: Sequence[KubernetesVersion | str] = (),
        force: bool = False,
    ) -> tuple[KubernetesVersion, ...]:
        """Go from the Kubernetes that runs to *version*, by default the spec's, and return the versions on the way.

        One minor version after the other: of those between the newest, or what *through* names.  Masters first, one at
        a time, then workers; a machine that does not come back is rolled back and the upgrade ends.  UnsafePlan, before
        anything is changed, with everything that is in the way; *force* does not mind APIs in use that will be no more.
        With another *version* than the spec's, change the spec afterwards.
        """
        return self._upgrading.upgrade(self._version(version), [self._version(each) for each in through], force=force)

    def check_upgrade(
        self, version: KubernetesVersion | str | None = None, *, through: Sequence[KubernetesVersion | str] = ()
    ) -> UpgradeCheck:
        """What `upgrade` would do now, and all that is in its way.  Fetches releases, and changes nothing else."""
        return self._upgrading.check(self._version(version), [self._version(each) for each in through])

    def _version(self, version: KubernetesVersion | str | None) -> KubernetesVersion:
        if isinstance(version, str):
            try:
                return KubernetesVersion.parse(version)
            except ValueError as error:
                raise ConfigError([str(error)]) from None
        return version or self.spec.kubernetes.version

    def backup(self) -> Backup:
        """Take a backup now, to where ``backup`` of the spec says; it is sealed, read back, and then visible.

        Needs no lease: it works while somebody else does, and while the API is away.
        """
        return self._backups.take()

    def backups(self) -> tuple[Backup, ...]:
        """The backups of this cluster, oldest first."""
        return self._backups.list()

    def restore(self, backup: str = "latest", *, force: bool = False) -> str:
        """Bring back what the cluster had when that backup was taken, and return the backup's name.

        Machines that are missing are made, all of them where there is no cluster.  Run again after an interruption, it
        goes on.  UnsafePlan where the backup does not fit, and, without *force*, where there is data it would replace.
        """
        return str(self._restorer.restore(backup, force=force))

    def rotate(
        self,
        *leaves: str,
        undo: bool = False,
        until: Stage | str | None = None,
        settle_seconds: float = 90.0,
    ) -> tuple[str, ...]:
        """Exchange authorities and keys while everybody goes on being served; return those whose rotation is half done.

        *leaves* are of `ROTATABLE`; without any, what is under way goes on, or with *undo* back.  *until* ``trust`` or
        ``switch`` stops after that stage, for a later call to go on.  Programs in pods have *settle_seconds* to read
        their tokens anew.  ConfigError and UnsafePlan before anything is changed.
        """
        stage = stage_named(until, undo=undo)
        return self._rotation.rotate(leaves, undo=undo, until=stage, settle=settle_seconds)

    def renew_certificates(self) -> None:
        """Make every certificate but the authorities' anew, and bring it to who uses it, one after the other."""
        self._rotation.renew_leaves()

    def copy_credentials(self, to: Cluster, *, overwrite: bool = False, delete_source: bool = False) -> Copied:
        """Bring the credentials into the store of *to*, the same cluster with another one, and read them back there.

        Raises Conflict where that holds other values, unless *overwrite*.  *delete_source* empties this one at the end.
        """
        return self._move(to, overwrite=overwrite, delete_source=delete_source)

    def kubeconfig(self) -> Secret:
        """A kubeconfig of the cluster's administrator, for ``kubectl --kubeconfig``."""
        return admin_kubeconfig(self.spec, self.providers)

    def shell(self, instance_id: str) -> Shell:
        """The way onto the machine of that instance.  NotFound names the instances there are."""
        return self.providers.cpi.open_shell(find_vm(self.spec, self.providers.cpi, instance_id))

    def tasks(self) -> tuple[TaskSummary, ...]:
        """What was done to the cluster from this state directory, oldest first; also what is running now."""
        return read_tasks(self._place / JOURNAL)

    def task(self, number: int) -> Task:
        """One task with its steps.  NotFound names those there are."""
        return read_task(self._place / JOURNAL, self.spec.id, number)

    def release(self) -> Release:
        """The cached release, with ``tree / "bin"`` holding kubectl.  NotFound before the first deploy."""
        found = self.releases.find(self.spec.kubernetes.version)
        if found is None:
            raise NotFound(f"Kubernetes {self.spec.kubernetes.version} is not in the cache; deploy the cluster first")
        return found


def _forget(operation: Operation, plan: Plan) -> None:
    """After a deletion that keeps nothing, keep nothing either."""
    if plan.operation == "delete" and not plan.keeps_disks:
        operation.forget()
