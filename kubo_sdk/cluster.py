"""Cluster: the public API.  Every operation plans first; only `apply`, `deploy` and `delete` act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

from kubo_sdk.config import check, line_of, load, refuse
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import ConfigError, NotFound, PlanOutdated, UnsafePlan
from kubo_sdk.events import Observer
from kubo_sdk.healing import Healer
from kubo_sdk.kubeconfig import admin_kubeconfig
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.status import ClusterStatus
from kubo_sdk.model.task import Task, TaskSummary
from kubo_sdk.monitor import watch
from kubo_sdk.nodes.flags import refused_extra_args
from kubo_sdk.observe import find_vm, observe_for_delete
from kubo_sdk.operation import JOURNAL, Operation
from kubo_sdk.pausing import pause, resume
from kubo_sdk.planning.heal import HEAL
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.problems import Problem
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ports.shell import Shell
from kubo_sdk.providers import Providers, connect
from kubo_sdk.releases.source import ReleaseSource, open_source
from kubo_sdk.status import read_status
from kubo_sdk.steps.context import RunState
from kubo_sdk.tasks import has_unfinished, read_task, read_tasks
from kubo_sdk.upkeep import RECREATE, Upkeep

DEFAULT_STATE_DIR = Path("/var/lib/kubo")
DEFAULT_CACHE_DIR = Path("/var/cache/kubo")


class Cluster:
    """One cluster, as its spec wishes it.

    ``state_dir`` holds what the SDK keeps on this host (credentials, lease, journal), owner-only; ``cache_dir`` what
    can be made again (releases).  Relative paths of the spec start at ``base_dir``.  ``observers`` are called with
    every event, in the thread where it happens.  ``clock`` is where time comes from; tests bring one of their own.
    """

    def __init__(
        self,
        spec: ClusterSpec,
        *,
        plugins: Plugins | None = None,
        state_dir: Path | None = None,
        cache_dir: Path | None = None,
        base_dir: Path | None = None,
        observers: Sequence[Observer] = (),
        cancel: CancelToken | None = None,
        clock: Clock | None = None,
    ) -> None:
        _check(spec)
        self.spec = spec
        self.state_dir = state_dir or DEFAULT_STATE_DIR
        self.cache_dir = cache_dir or DEFAULT_CACHE_DIR
        self.base_dir = base_dir or Path.cwd()
        self._plugins = plugins or Plugins()
        self._observers = tuple(observers)
        self._cancel = cancel or CancelToken()
        self._clock = clock or SystemClock()

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

    @cached_property
    def providers(self) -> Providers:
        """The providers the spec names, connected on first use."""
        context = ConnectContext(
            spec=self.spec, state_dir=self.state_dir, cache_dir=self.cache_dir, base_dir=self.base_dir
        )
        return connect(self._plugins, context)

    @cached_property
    def releases(self) -> ReleaseSource:
        """Where the Kubernetes software comes from."""
        return open_source(self.spec.kubernetes.source, cache_dir=self.cache_dir, base_dir=self.base_dir)

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
            operation.run(plan, state)
            _forget(operation, plan)

    def deploy(self) -> None:
        """Plan and apply under one lease: create what is missing, change what differs.

        Machines that do not answer may still be booting and get ``health.startup_seconds``.
        """
        self._upkeep.deploy()

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

        With *once*, end as soon as nothing is wrong that time or a repair may change.
        """
        stop = stop or self._cancel
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

        What only the others had is lost, so UnsafePlan without *force*, and wherever a majority still serves.
        """
        self._upkeep.recover_etcd(survivor, force=force)

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

    @property
    def _is_unfinished(self) -> bool:
        return has_unfinished(self._place / JOURNAL, (HEAL, RECREATE))

    def _plan(self) -> tuple[Plan, RunState]:
        return self._upkeep.plan_deploy()

    def _reviewed(self, plan: Plan) -> Plan:
        objections = self._plugins.review(plan, self.spec)
        if objections:
            raise UnsafePlan("; ".join(objection.reason for objection in objections))
        return plan

    @property
    def _upkeep(self) -> Upkeep:
        return Upkeep(
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            clock=self._clock,
            place=self._place,
            operation=self._operation,
            reviewed=self._reviewed,
        )

    def _healer(self, stop: CancelToken | None = None) -> Healer:
        return Healer(
            spec=self.spec,
            providers=self.providers,
            clock=self._clock,
            stop=stop or self._cancel,
            operation=partial(self._operation, HEAL),
            plan=self._upkeep.plan_heal,
        )

    def _plan_delete(self, keep_disks: bool) -> tuple[Plan, RunState]:
        return observe_for_delete(self.spec, self.providers, keep_disks=keep_disks), RunState()

    @property
    def _place(self) -> Path:
        return self.state_dir / "clusters" / self.spec.director / self.spec.name

    def _operation(self, name: str, cancel: CancelToken | None = None) -> Operation:
        return Operation(
            name=name,
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            place=self._place,
            clock=self._clock,
            cancel=cancel or self._cancel,
            observers=(*self._observers, self._plugins.emit),
        )


def _check(spec: ClusterSpec) -> None:
    """Raise ConfigError with everything that is wrong with *spec*, before anything is looked at."""
    refuse(check(spec), spec)
    problems = [*refused_extra_args(spec.kubernetes.extra_args, spec.kubernetes.version.minor)]
    try:
        open_source(spec.kubernetes.source, cache_dir=DEFAULT_CACHE_DIR, base_dir=Path())
    except ConfigError as error:
        problems += [f"{line_of(spec.kubernetes.source)}{problem}" for problem in error.problems]
    if problems:
        raise ConfigError(problems)


def _forget(operation: Operation, plan: Plan) -> None:
    """After a deletion that keeps nothing, keep nothing either."""
    if plan.operation == "delete" and not plan.keeps_disks:
        operation.forget()
