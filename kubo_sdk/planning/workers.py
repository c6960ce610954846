"""Plans the workers: units that wait for the API are started, Nodes become Ready and are put into service."""

from __future__ import annotations

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation

KUBELET = "kubelet.service"


def plan_workers(draft: Draft, situation: Situation) -> None:
    """Every step up to Nodes that are Ready."""
    for view in situation.of(Role.WORKER):
        _start(draft, situation, view)
        _await(draft, situation, view)
        if view.cordoned and not situation.is_new(view):
            uncordon(draft, view)


def _start(draft: Draft, situation: Situation, view: InstanceView) -> None:
    unstarted = view.drift.unstarted if view.drift is not None and not situation.is_condemned(view) else ()
    if situation.is_new(view) or unstarted or (situation.is_rebooted(view) and view.drift is None):
        draft.add(
            Verb.START_UNITS,
            instance=view.instance.id,
            reason="units that wait for the API have not been started",
            effect=Effect.CHANGE,
            needs=(f"{Verb.CONFIGURE_INSTANCE} {view.instance.id}", Verb.AWAIT_API),
            details=unstarted,
        )


def _await(draft: Draft, situation: Situation, view: InstanceView) -> None:
    name = view.instance.id
    verbs = (Verb.CONFIGURE_INSTANCE, Verb.RESTART_UNITS, Verb.START_UNITS, Verb.REBOOT_VM)
    done = [f"{verb} {name}" for verb in verbs if f"{verb} {name}" in draft]
    disturbed = [step for step in done if not step.startswith(Verb.CONFIGURE_INSTANCE) or _restarts(situation, view)]
    if disturbed or not view.ready:
        # The Node of a machine that was stopped hard may be Ready still.
        units = (view.units or (KUBELET,)) if situation.is_rebooted(view) else situation.restarted.get(name, ())
        draft.add(
            Verb.AWAIT_INSTANCE,
            instance=name,
            reason="its Node must be Ready",
            effect=Effect.WAIT,
            needs=(*done, Verb.AWAIT_API, Verb.BOOTSTRAP_CLUSTER),
            details=() if situation.is_new(view) else units,
        )


def _restarts(situation: Situation, view: InstanceView) -> bool:
    return situation.is_new(view) or situation.is_loud(view)


def uncordon(draft: Draft, view: InstanceView) -> str:
    """Add the step that lets pods come to the worker again."""
    return draft.add(
        Verb.UNCORDON,
        instance=view.instance.id,
        reason="pods may come to it again",
        effect=Effect.CHANGE,
        needs=[f"{Verb.AWAIT_INSTANCE} {view.instance.id}"],
    )
