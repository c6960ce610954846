"""Plans the workers: units that wait for the API are started, Nodes become Ready and are put into service.

New machines and those that are down come at once; running ones are changed batch by batch, see `rollout`.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import InstanceGroup
from kubo_sdk.planning.configuration import touched, work
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.machines import drain
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.rollout import batches
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.upgrade import is_drained

KUBELET = "kubelet.service"
NEW_KUBELET = "a kubelet becomes another minor version only without pods"


def plan_workers(draft: Draft, situation: Situation) -> None:
    """Every step up to Nodes that are Ready."""
    for view in situation.of(Role.WORKER):
        if not situation.is_loud(view):
            _bring_up(draft, situation, view)
    others = (Role.ETCD, Role.MASTER, Role.PROXY)
    awaited = [view.instance.id for role in others for view in situation.of(role)]
    before: tuple[str, ...] = (Verb.AWAIT_API, Verb.BOOTSTRAP_CLUSTER, *_awaits(awaited))
    for group in situation.spec.instance_groups:
        if group.role is Role.WORKER:
            before = _roll(draft, situation, group, after=before)


def _roll(draft: Draft, situation: Situation, group: InstanceGroup, *, after: Iterable[str]) -> tuple[str, ...]:
    """Change the running workers of one group batch by batch.  Returns what the next group waits for."""
    views = {view.instance.id: view for view in situation.of(Role.WORKER) if view.instance.group == group.name}
    loud = [view for view in views.values() if situation.is_loud(view)]
    down = [view for view in loud if _is_down(situation, view)]
    for view in down:
        _change(draft, situation, view, needs=after)
    # Whoever is away already counts as one of those that may be.
    away = [name for name, view in views.items() if _is_away(situation, view)]
    before = (*after, *_awaits(away))
    for batch in batches(group, [view.instance for view in loud if view not in down], situation.spec.update):
        for name in batch.instances:
            _change(draft, situation, views[name], needs=before, canary=batch.canary)
        before = _awaits(batch.instances)
    return before


def _awaits(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{Verb.AWAIT_INSTANCE} {name}" for name in names)


def _is_down(situation: Situation, view: InstanceView) -> bool:
    """Whether it does not serve, so that a change takes nothing away.  Without the API nobody can tell.  Whether one
    serves that is on trial has yet to be seen.
    """
    return view.on_trial or (situation.observation.api_ready and not view.ready)


def _is_away(situation: Situation, view: InstanceView) -> bool:
    """Whether it served once and does not now, or will not for a while.  A machine that is new to all is not missed."""
    if view.instance.slug not in situation.observation.nodes and not view.configured:
        return False
    return situation.is_new(view) or situation.is_rebooted(view) or _is_down(situation, view)


def _change(
    draft: Draft, situation: Situation, view: InstanceView, *, needs: Iterable[str], canary: bool = False
) -> None:
    if is_drained(situation, view):
        needs = (drain(draft, view.instance.id, needs=needs, reason=NEW_KUBELET),)
    work(draft, situation, view, needs=needs)
    _bring_up(draft, situation, view, canary=canary)


def _bring_up(draft: Draft, situation: Situation, view: InstanceView, *, canary: bool = False) -> None:
    _start(draft, situation, view)
    _await(draft, situation, view, canary=canary)
    drained = situation.is_loud(view) and is_drained(situation, view)
    if (view.cordoned or drained) and not situation.is_new(view):
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


def _await(draft: Draft, situation: Situation, view: InstanceView, *, canary: bool) -> None:
    name = view.instance.id
    verbs = (Verb.CONFIGURE_INSTANCE, Verb.RESTART_UNITS, Verb.START_UNITS, Verb.REBOOT_VM)
    done = [f"{verb} {name}" for verb in verbs if f"{verb} {name}" in draft]
    disturbed = [step for step in done if not step.startswith(Verb.CONFIGURE_INSTANCE) or _restarts(situation, view)]
    if disturbed or not view.ready or view.on_trial:
        # The Node of a machine that was stopped hard may be Ready still.
        units = (view.units or (KUBELET,)) if situation.is_rebooted(view) else touched(situation, view)
        draft.add(
            Verb.AWAIT_INSTANCE,
            instance=name,
            reason="its Node must be Ready before the others change" if canary else "its Node must be Ready",
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
