"""Recovering: goes on with one etcd member's data, has everybody start anew with it, and the other members join again.

It is marked before it begins, since half of it must be followed by the rest: while the mark stands nobody plans
anything else, and the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
from attrs import frozen

from kubo_sdk.answers import raft_indexes
from kubo_sdk.engine.clock import Clock
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import DirectorNotes, change_notes, read_notes, refuse_half_restored
from kubo_sdk.observe import observe
from kubo_sdk.operation import Operation
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.recovery import RECOVER, plan_recovery, survivor_of
from kubo_sdk.planning.repair import Repair
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.context import RunState
from kubo_sdk.upkeep import silent


@frozen(kw_only=True)
class Recovery:
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

    def recover(self, survivor: str | None, *, force: bool) -> None:
        """Go on with *survivor* alone, or with the member that saw most; then the others join it.

        Raises UnsafePlan and NotFound as `plan_recovery` does.
        """
        operation = self.operation(RECOVER)
        with operation.leased():
            observation, state = self._observe()
            plan = self.reviewed(self._alone(observation, state, survivor, force=force))
            self._mark(survivor_of(plan))
            operation.run(plan, state)
            self._mark("")
            # The others are no members any more, which makes them join as if they were new.
            observation, state = self._observe()
            operation.run(self.reviewed(self._rest(observation)), state)

    def _alone(self, observation: Observation, state: RunState, survivor: str | None, *, force: bool) -> Plan:
        notes = self._notes()
        return plan_recovery(
            self.spec,
            observation,
            survivor,
            heard=raft_indexes(self.spec, state),
            force=force,
            begun=notes.recovering,
            leave=notes.stopped,
        )

    def _rest(self, observation: Observation) -> Plan:
        repair = Repair(leave=tuple(sorted({*self._notes().stopped, *silent(observation)})))
        abilities = self.providers.abilities
        return plan_deploy(self.spec, observation, abilities, repair, operation=RECOVER, takes_away=False)

    def _observe(self) -> tuple[Observation, RunState]:
        refuse_half_restored(self.spec, self.providers.credential_store)
        return observe(self.spec, self.providers, self.releases, now=self.clock.now())

    def _notes(self) -> DirectorNotes:
        return read_notes(self.providers.credential_store, self.spec.id)

    def _mark(self, survivor: str) -> None:
        store = self.providers.credential_store
        change_notes(store, self.spec.id, self.place, lambda notes: attrs.evolve(notes, recovering=survivor))
