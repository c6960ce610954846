"""Upkeep: what somebody asks to be done to a cluster or to single instances of it, but its end.

Each holds the cluster's lease from its first look to its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from kubo_sdk.engine.cancel import CancellableClock, CancelToken
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable, UnsafePlan
from kubo_sdk.events import MachinesAwaited
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.notes import DirectorNotes, change_notes, read_notes, refuse_half_done
from kubo_sdk.observe import observe
from kubo_sdk.operation import Operation
from kubo_sdk.planning.decision import Decision
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.heal import plan_heal
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.planning.service import plan_restart, plan_start, plan_stop
from kubo_sdk.planning.skew import why_no_step
from kubo_sdk.planning.upgrade import UPGRADE, is_upgrade, running_version, running_versions
from kubo_sdk.providers import Providers
from kubo_sdk.readiness import Readiness
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.replacing import Replacing
from kubo_sdk.steps.context import RunState

RECREATE = "recreate"
# How often it is looked whether what was just started serves.
HEALTH_SECONDS = 1.0


@frozen(kw_only=True)
class Upkeep:
    """``operation`` begins one of that name; ``reviewed`` lets the plugins object to a plan.  ``place`` is the SDK's
    directory of this cluster.
    """

    spec: ClusterSpec
    providers: Providers
    releases: ReleaseSource
    clock: Clock
    place: Path
    operation: Callable[[str], Operation]
    reviewed: Callable[[Plan], Plan]

    def deploy(self, *, away: bool = False) -> None:
        """*away*: the last master or member that serves may be away while it is replaced."""
        self._deploy(self.operation("deploy"), away=away)

    def upgrade(self, *, force: bool) -> None:
        """A deploy under another name.  *force*: also where APIs are in use that will be no more."""
        self._deploy(self.operation(UPGRADE), force=force)

    def _deploy(self, operation: Operation, *, force: bool = False, away: bool = False) -> None:
        with operation.leased():
            look = self._with_release(operation, self._look_after_boots(operation))
            look = self.when_healthy(look, self.spec.kubernetes.version, operation.stop)
            self._refuse_unready(*look, force=force)
            replacing = self._replacing(away=away)
            replacing.run(operation, replacing.plan(look[0], operation.name), look[1])

    def apply(self, operation: Operation, plan: Plan, state: RunState) -> None:
        """Run a plan that `plan_update` made, and what is replaced after it."""
        self._replacing().run(operation, plan, state)

    def _replacing(self, *, away: bool = False) -> Replacing:
        return Replacing(
            spec=self.spec,
            abilities=self.providers.abilities,
            look=self._observe,
            stopped=lambda: self._notes().stopped,
            reviewed=self.reviewed,
            with_spec=lambda spec: attrs.evolve(self, spec=spec)._replacing(away=away),  # noqa: SLF001 (one of these)
            force=away,
        )

    def _with_release(self, operation: Operation, look: tuple[Observation, RunState]) -> tuple[Observation, RunState]:
        """Have the new release in the cache before planning: only then is it known what it changes, and if it may."""
        observation, state = look
        if observation.release is not None or not running_versions(observation):
            return look
        reason = f"Kubernetes {self.spec.kubernetes.version} is not in the cache"
        fetch = Step(verb=Verb.FETCH_RELEASE, reason=reason, effect=Effect.CREATE)
        operation.run(Plan(cluster=self.spec.id, operation=operation.name, steps=(fetch,)), state)
        return self._observe()

    def _refuse_unready(self, observation: Observation, state: RunState, *, force: bool = False) -> None:
        """Raise UnsafePlan with everything that stands in the way of another version, where there is to be one."""
        wish = self.spec.kubernetes.version
        have = running_version(observation)
        if have is None or not is_upgrade(observation, wish) or why_no_step(have, wish):
            return  # Or planning says why not.
        problems = self.readiness((observation, state), wish, force=force).problems()
        if problems:
            raise UnsafePlan("; ".join(problems))

    def readiness(
        self, look: tuple[Observation, RunState], wish: KubernetesVersion, *, force: bool = False
    ) -> Readiness:
        """How ready the cluster is for *wish*."""
        observation, state = look
        return Readiness(
            spec=self.spec,
            observation=observation,
            state=state,
            now=self.clock.now(),
            wish=wish,
            left=self._notes().stopped,
            force=force,
        )

    def when_healthy(
        self, look: tuple[Observation, RunState], wish: KubernetesVersion, stop: CancelToken
    ) -> tuple[Observation, RunState]:
        """*look*, or a later one: before another version what was just started, by a run cut off, has its time."""

        def is_well(look: tuple[Observation, RunState]) -> bool:
            return not is_upgrade(look[0], wish) or not self.readiness(look, wish).unhealthy()

        def well() -> tuple[Observation, RunState] | None:
            found = self._observe()
            return found if is_well(found) else None

        if is_well(look):
            return look
        seconds, clock = self.spec.health.startup_seconds, CancellableClock(self.clock, stop)
        with contextlib.suppress(Unavailable):
            return wait_until(well, what="health", timeout=seconds, interval=HEALTH_SECONDS, clock=clock)
        return self._observe()

    def look(self) -> tuple[Observation, RunState]:
        """What is there now."""
        return self._observe()

    def plan_upgrade(self) -> Plan:
        """What `upgrade` would do now."""
        return self._replacing().plan(self._observe()[0], UPGRADE)

    def _look_after_boots(self, operation: Operation) -> tuple[Observation, RunState]:
        """Machines of a deploy that was cut off may still be booting.  What planning says of the others, it says."""
        look = self._observe()
        silent_ones = self._booting(look[0])
        if not silent_ones:
            return look
        seconds = self.spec.health.startup_seconds
        now = operation.clock.now()
        operation.emit(MachinesAwaited(cluster=self.spec.id, at=now, instances=silent_ones, seconds=seconds))
        clock = CancellableClock(operation.clock, operation.stop)
        with contextlib.suppress(Unavailable):
            return wait_until(self._look_if_booted, what="the boot of machines", timeout=seconds, clock=clock)
        return self._observe()

    def _look_if_booted(self) -> tuple[Observation, RunState] | None:
        look = self._observe()
        return None if self._booting(look[0]) else look

    def _booting(self, observation: Observation) -> tuple[str, ...]:
        return tuple(sorted({*silent(observation)} - {*self._notes().stopped}))

    def plan_update(self) -> tuple[Plan, RunState]:
        """What makes the cluster what its spec says, machines replaced where that is the way."""
        observation, state = self._observe()
        self._refuse_unready(observation, state)
        return self._replacing().plan(observation, "deploy"), state

    def plan_deploy(self) -> tuple[Plan, RunState]:
        """What is changed in place; instances that were stopped on purpose are left alone, and nothing is replaced."""
        look = self._observe()
        self._refuse_unready(*look)
        return self._planned(*look)

    def _planned(self, observation: Observation, state: RunState, operation: str = "deploy") -> tuple[Plan, RunState]:
        repair = Repair(leave=self._notes().stopped)
        plan = plan_deploy(self.spec, observation, self.providers.abilities, repair, operation=operation)
        return self.reviewed(plan), state

    def plan_heal(self, decision: Decision) -> tuple[Plan, RunState]:
        """What was decided about the problems there are."""
        condemned = decision.repair.condemned
        observation, state = observe(
            self.spec,
            self.providers,
            self.releases,
            condemned=condemned,
            silent=decision.silent,
            now=self.clock.now() if decision.acts_by(Resolution.RENEW) else None,
        )
        return self.reviewed(plan_heal(self.spec, observation, self.providers.abilities, decision)), state

    def plan_recreate(self, instance_id: str, *, force: bool) -> tuple[Plan, RunState]:
        """Everything else stays as the spec says; whoever cannot be asked, or was stopped, is left alone."""
        observation, state = self._observe(condemned=(instance_id,))
        leave = {*self._notes().stopped, *silent(observation)} - {instance_id}
        plan = plan_deploy(
            self.spec,
            observation,
            self.providers.abilities,
            Repair(replace=(instance_id,), leave=tuple(sorted(leave))),
            force=force,
            operation=RECREATE,
            takes_away=False,
        )
        return self.reviewed(plan), state

    def recreate(self, instance_id: str, *, force: bool) -> None:
        operation = self.operation(RECREATE)
        with operation.leased():
            plan, state = self.plan_recreate(instance_id, force=force)
            self._note_started(instance_id)
            operation.run(plan, state)

    def stop(self, instance_id: str, *, force: bool) -> None:
        operation = self.operation("stop")
        with operation.leased():
            observation, state = self._observe()
            plan = plan_stop(self.spec, observation, self.providers.abilities, instance_id, force=force)
            # First, so that nobody takes it for a failure.
            self._note_stopped(instance_id)
            operation.run(self.reviewed(plan), state)

    def start(self, instance_id: str) -> None:
        operation = self.operation("start")
        with operation.leased():
            observation, state = self._observe()
            plan = plan_start(self.spec, observation, self.providers.abilities, instance_id)
            operation.run(self.reviewed(plan), state)
            self._note_started(instance_id)

    def restart(self, instance_id: str, *, force: bool) -> None:
        operation = self.operation("restart")
        with operation.leased():
            observation, state = self._observe()
            plan = plan_restart(self.spec, observation, self.providers.abilities, instance_id, force=force)
            operation.run(self.reviewed(plan), state)
            self._note_started(instance_id)

    def _observe(self, condemned: Sequence[str] = ()) -> tuple[Observation, RunState]:
        refuse_half_done(self.spec, self.providers.credential_store)
        return observe(self.spec, self.providers, self.releases, condemned=condemned, now=self.clock.now())

    def _notes(self) -> DirectorNotes:
        return read_notes(self.providers.credential_store, self.spec.id)

    def _note_stopped(self, instance_id: str) -> None:
        self._change(lambda notes: attrs.evolve(notes, stopped=(*notes.stopped, instance_id)))

    def _note_started(self, instance_id: str) -> None:
        if instance_id in self._notes().stopped:
            self._change(lambda notes: attrs.evolve(notes, stopped=tuple(set(notes.stopped) - {instance_id})))

    def _change(self, change: Callable[[DirectorNotes], DirectorNotes]) -> None:
        change_notes(self.providers.credential_store, self.spec.id, self.place, change)


def silent(observation: Observation) -> tuple[str, ...]:
    """The instances whose machines run, as far as the CPI knows, and do not answer."""
    views = (view for view in observation.instances if view.exists and not view.is_stopped)
    return tuple(view.instance.id for view in views if not view.reachable)
