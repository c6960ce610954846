"""Rotating: exchanges authorities and keys of a running cluster in three stages, each followed by a deploy.

Whatever is trusted or known is so everywhere before it is used anywhere, and used nowhere before it goes.  What is next
is told by the credential store, so a rotation that was cut off goes on, or back, from where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import DirectorNotes, change_notes, read_notes
from kubo_sdk.operation import Operation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.planning.rotation import (
    ROTATE,
    Stage,
    Standing,
    check_nothing_under_way,
    check_told,
    checked_leaves,
    next_stage,
    plan_end,
    plan_renewal,
    plan_stage,
)
from kubo_sdk.providers import Providers
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.rotation import marks_now, read_standings
from kubo_sdk.upkeep import Upkeep

# A Node that is not Ready for a moment, or a record that somebody else changed, is one more deploy.
ROUNDS = 3

_ORDER = tuple(Stage)


@frozen(kw_only=True)
class Rotation:
    """``operation`` begins one of that name.  ``place`` is the SDK's directory of this cluster."""

    spec: ClusterSpec
    providers: Providers
    place: Path
    operation: Callable[[str], Operation]
    upkeep: Upkeep

    def rotate(self, asked: Sequence[str], *, undo: bool, until: Stage | None, settle: float) -> tuple[str, ...]:
        """Rotate what is *asked* for, or go on with what is under way; return what still is."""
        operation = self.operation(ROTATE)
        with operation.leased():
            leaves = self._begin(operation, asked, undo=undo)
            while True:
                following = next_stage(self._standings(), undo=undo)
                # Everybody trusts both while the new one is used, so going back from there need not wait for anybody.
                goes_back = undo and following is not None and following[0] is Stage.SWITCH
                plan, state = self.upkeep.plan_deploy() if goes_back else self._converge(operation)
                if following is None:
                    break
                stage, concerned = following
                if until is not None and _ORDER.index(stage) > _ORDER.index(until):
                    return leaves
                self._run(
                    operation,
                    plan_stage(self.spec.id, stage, concerned, plan.fingerprint, undo=undo, settle=settle),
                    state,
                )
            self._run(operation, plan_end(self.spec.id, leaves, plan.fingerprint), state)
            self._note(())
            return ()

    def renew_leaves(self) -> None:
        """New versions of all certificates but the authorities', brought to everybody."""
        operation = self.operation(ROTATE)
        with operation.leased():
            check_nothing_under_way([leaf for leaf, _ in self._notes().rotating])
            plan, state = self._converge(operation)
            self._run(operation, plan_renewal(self.spec.id, plan.fingerprint), state)
            self._converge(operation)

    def _begin(self, operation: Operation, asked: Sequence[str], *, undo: bool) -> tuple[str, ...]:
        under_way = tuple(leaf for leaf, _ in self._notes().rotating)
        if undo and not under_way:
            raise ConfigError([f"nothing of cluster {self.spec.id} is being rotated, so there is nothing to take back"])
        store = self.providers.credential_store
        provider = self.spec.credential_store.provider
        leaves = checked_leaves(asked, under_way, rotates=store.info().rotates, provider=provider)
        if not under_way:
            # Before it begins, the cluster may still grow.
            self._converge(operation)
            self._note(tuple(marks_now(store, self.spec, leaves).items()))
        return leaves

    def _converge(self, operation: Operation) -> tuple[Plan, RunState]:
        """Have every machine carry what the store says; what is left of the plan is nothing."""
        for _ in range(ROUNDS):
            plan, state = self.upkeep.plan_deploy()
            if plan.is_empty:
                break
            self._run(operation, plan, state)
        else:
            plan, state = self.upkeep.plan_deploy()
        check_told(self.spec.id, plan, self._notes().stopped)
        return plan, state

    def _run(self, operation: Operation, plan: Plan, state: RunState) -> None:
        if not plan.is_empty:
            operation.run(self.upkeep.reviewed(attrs.evolve(plan, operation=ROTATE)), state)

    def _standings(self) -> tuple[Standing, ...]:
        return read_standings(self.providers.credential_store, self.spec, dict(self._notes().rotating))

    def _notes(self) -> DirectorNotes:
        return read_notes(self.providers.credential_store, self.spec.id)

    def _note(self, rotating: tuple[tuple[str, str], ...]) -> None:
        store, cluster = self.providers.credential_store, self.spec.id
        change_notes(store, cluster, self.place, lambda notes: attrs.evolve(notes, rotating=rotating))
