"""Cluster: the public API.  Every operation plans first; only `apply`, `deploy` and `delete` act."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from kubo_sdk.config import check, line_of, load, refuse
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import ConfigError, NotFound, PlanOutdated, UnsafePlan
from kubo_sdk.events import Observer
from kubo_sdk.kubeconfig import admin_kubeconfig
from kubo_sdk.model.release import Release
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.status import ClusterStatus
from kubo_sdk.nodes.flags import refused_extra_args
from kubo_sdk.observe import find_vm, observe, observe_for_delete
from kubo_sdk.operation import Operation
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.plan import Plan
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.ports.shell import Shell
from kubo_sdk.providers import Providers, connect
from kubo_sdk.releases.source import ReleaseSource, open_source
from kubo_sdk.status import read_status
from kubo_sdk.steps.context import RunState

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
            self._forget(operation, plan)

    def deploy(self) -> None:
        """Plan and apply under one lease: create what is missing, change what differs."""
        operation = self._operation("deploy")
        with operation.leased():
            operation.run(*self._plan())

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
            self._forget(operation, plan)

    def status(self) -> ClusterStatus:
        """How the cluster is now.  A machine that does not answer is a finding, not an error."""
        return read_status(self.spec, self.providers)

    def kubeconfig(self) -> Secret:
        """A kubeconfig of the cluster's administrator, for ``kubectl --kubeconfig``."""
        return admin_kubeconfig(self.spec, self.providers)

    def shell(self, instance_id: str) -> Shell:
        """The way onto the machine of that instance.  NotFound names the instances there are."""
        return self.providers.cpi.open_shell(find_vm(self.spec, self.providers.cpi, instance_id))

    def release(self) -> Release:
        """The cached release, with ``tree / "bin"`` holding kubectl.  NotFound before the first deploy."""
        found = self.releases.find(self.spec.kubernetes.version)
        if found is None:
            raise NotFound(f"Kubernetes {self.spec.kubernetes.version} is not in the cache; deploy the cluster first")
        return found

    def _plan(self) -> tuple[Plan, RunState]:
        observation, state = observe(self.spec, self.providers, self.releases)
        plan = plan_deploy(self.spec, observation, self.providers.abilities)
        objections = self._plugins.review(plan, self.spec)
        if objections:
            raise UnsafePlan("; ".join(objection.reason for objection in objections))
        return plan, state

    def _plan_delete(self, keep_disks: bool) -> tuple[Plan, RunState]:
        return observe_for_delete(self.spec, self.providers, keep_disks=keep_disks), RunState()

    def _operation(self, name: str) -> Operation:
        return Operation(
            name=name,
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            place=self.state_dir / "clusters" / self.spec.director / self.spec.name,
            clock=self._clock,
            cancel=self._cancel,
            observers=(*self._observers, self._plugins.emit),
        )

    def _forget(self, operation: Operation, plan: Plan) -> None:
        """After a deletion, remove the journal and the lease, and directories that held nothing else."""
        if plan.operation != "delete" or plan.keeps_disks:
            return
        shutil.rmtree(operation.place, ignore_errors=True)
        with contextlib.suppress(OSError):
            for place in (operation.place.parent, operation.place.parent.parent, self.state_dir):
                place.rmdir()


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
