"""ClusterParts: what a `Cluster` is put together from: spec, providers, its place on this host, operations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import attrs

from kubo_sdk.adopting import Found, find_spec
from kubo_sdk.backup import Backups, Restorer, backup_key, open_place
from kubo_sdk.config import check, line_of, refuse
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import ConfigError, UnsafePlan
from kubo_sdk.events import Observer
from kubo_sdk.healing import Healer
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.moving import COPY, Copied, Move
from kubo_sdk.nodes.flags import refused_extra_args
from kubo_sdk.notes import refuse_half_done, refuse_half_restored
from kubo_sdk.observe import observe_for_delete
from kubo_sdk.operation import JOURNAL, Operation
from kubo_sdk.planning.heal import HEAL
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.recovery import RECOVER
from kubo_sdk.planning.restore import RESTORE
from kubo_sdk.planning.upgrade import UPGRADE
from kubo_sdk.plugins import Plugins
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.providers import Providers, connect, connect_ground
from kubo_sdk.recovering import Recovery
from kubo_sdk.releases.source import ReleaseSource, open_source
from kubo_sdk.rotating import Rotation
from kubo_sdk.steps.context import RunState
from kubo_sdk.tasks import has_unfinished
from kubo_sdk.upgrading import Upgrading
from kubo_sdk.upkeep import RECREATE, Upkeep

DEFAULT_STATE_DIR = Path("/var/lib/kubo")
DEFAULT_CACHE_DIR = Path("/var/cache/kubo")


class ClusterParts:
    """Gathers and connects; does nothing to the cluster."""

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
        self.adopted: Found | None = None

    @cached_property
    def providers(self) -> Providers:
        """The providers the spec names, connected on first use."""
        return connect(self._plugins, self._connecting)

    @property
    def _connecting(self) -> ConnectContext:
        return ConnectContext(
            spec=self.spec, state_dir=self.state_dir, cache_dir=self.cache_dir, base_dir=self.base_dir
        )

    def _found(self) -> Found:
        """The spec of the cluster that this one's spec only names."""
        return find_spec(self.spec, *connect_ground(self._plugins, self._connecting))

    @cached_property
    def releases(self) -> ReleaseSource:
        """Where the Kubernetes software comes from."""
        return open_source(self.spec.kubernetes.source, cache_dir=self.cache_dir, base_dir=self.base_dir)

    @property
    def _is_unfinished(self) -> bool:
        return has_unfinished(self._place / JOURNAL, (HEAL, RECREATE))

    def _plan(self) -> tuple[Plan, RunState]:
        return self._upkeep.plan_update()

    def _reviewed(self, plan: Plan) -> Plan:
        if plan.operation == RECOVER:
            refuse_half_restored(self.spec, self.providers.credential_store)
        elif plan.operation != RESTORE:
            refuse_half_done(self.spec, self.providers.credential_store)
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

    @property
    def _upgrading(self) -> Upgrading:
        return Upgrading(
            spec=self.spec,
            releases=self.releases,
            upkeep=self._upkeep,
            link=self._upkeep_with,
            say=self._operation(UPGRADE).say,
            stop=self._cancel,
        )

    def _upkeep_with(self, version: KubernetesVersion) -> Upkeep:
        """The upkeep of the same cluster, as its spec would wish it with another version."""
        kubernetes = attrs.evolve(self.spec.kubernetes, version=version)
        other = ClusterParts(
            attrs.evolve(self.spec, kubernetes=kubernetes),
            plugins=self._plugins,
            state_dir=self.state_dir,
            cache_dir=self.cache_dir,
            base_dir=self.base_dir,
            observers=self._observers,
            cancel=self._cancel,
            clock=self._clock,
        )
        return other._upkeep

    @property
    def _backups(self) -> Backups:
        return Backups(
            spec=self.spec,
            providers=lambda: self.providers,
            place=open_place(self.spec, self.base_dir, self._clock),
            key=backup_key(self.spec.backup, self.base_dir, os.environ),
            clock=self._clock,
            emit=self._operation("backup").emit,
        )

    @property
    def _restorer(self) -> Restorer:
        return Restorer(
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            clock=self._clock,
            place=self._place,
            backups=self._backups,
            operation=self._operation,
            reviewed=self._reviewed,
        )

    @property
    def _recovery(self) -> Recovery:
        return Recovery(
            spec=self.spec,
            providers=self.providers,
            releases=self.releases,
            clock=self._clock,
            place=self._place,
            operation=self._operation,
            reviewed=self._reviewed,
        )

    @property
    def _rotation(self) -> Rotation:
        return Rotation(
            spec=self.spec, providers=self.providers, place=self._place, operation=self._operation, upkeep=self._upkeep
        )

    def _move(self, to: ClusterParts, *, overwrite: bool, delete_source: bool) -> Copied:
        if to.spec.id != self.spec.id:
            raise ConfigError([f"the specs are of two clusters, {self.spec.id} and {to.spec.id}; name the same one"])
        source, target = self.providers.credential_store, to.providers.credential_store
        refuse_half_done(self.spec, source)
        with self._operation(COPY).leased():
            move = Move(cluster=self.spec.id, source=source, target=target)
            return move.copy(overwrite=overwrite, delete_source=delete_source)

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
        return observe_for_delete(self.spec, self.providers, keep_disks=keep_disks)

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
