"""Interruption: what does not serve, or moves, while a plan runs.  Said before it is run.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Step, Verb
from kubo_sdk.planning.situation import Situation

_ALONE = {
    Role.ETCD: "the API does not answer while {}, the only etcd member, is away",
    Role.MASTER: "the API does not answer while {}, the only master, is away",
    Role.PROXY: "the API and the services do not answer at their endpoints while {}, the only proxy, is away",
}


def interruptions(steps: Iterable[Step], replaced: Iterable[str], situation: Situation) -> tuple[str, ...]:
    """A sentence for each instance whose absence somebody notices.  Empty: everybody is served all the time."""
    steps = tuple(steps)
    gone = {*replaced, *(str(step.instance) for step in steps if step.verb in (Verb.DELETE_VM, Verb.DRAIN))}
    away = gone | {str(step.instance) for step in steps if step.effect is Effect.RESTART}
    served = (view for view in situation.observation.instances if view.is_serving and view.instance.id in away)
    return tuple(sentence for view in served for sentence in _told(situation, view, gone))


def _told(situation: Situation, view: InstanceView, gone: set[str]) -> Iterator[str]:
    name, role = view.instance.id, view.instance.role
    alike = [each for each in situation.observation.instances if each.instance.role is role and each.is_serving]
    if role is Role.WORKER:
        if name in gone and len(alike) > 1:
            yield f"the pods of {name} move to other workers"
        elif name in gone:
            yield f"the pods of {name} do not run while it, the only worker, is away"
    elif len(alike) == 1:
        yield _ALONE[role].format(name)
    elif role is Role.PROXY:
        yield f"connections through {name} end"
