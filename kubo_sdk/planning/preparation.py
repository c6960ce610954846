"""Plans the preparation of machines that start from a stock image.  Pure.

It restarts nothing, but unpacking packages keeps a disk busy: masters and members of etcd that serve are prepared one
after the other, everybody else at once.
"""

from __future__ import annotations

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.upgrade import gets_release

IN_TURN = (Role.ETCD, Role.MASTER)


def plan_preparation(draft: Draft, situation: Situation) -> None:
    """A step for each machine that lacks something, or may."""
    previous: tuple[str, ...] = ()
    for view in situation.views:
        if not lacks_preparation(situation, view):
            continue
        name, is_new = view.instance.id, situation.is_new(view)
        waits = view.instance.role in IN_TURN and view.is_serving and not is_new
        step = draft.add(
            Verb.PREPARE_INSTANCE,
            instance=name,
            reason=_why(situation, view),
            effect=Effect.CREATE if is_new else Effect.CHANGE,
            needs=(
                Verb.FETCH_RELEASE,
                f"{Verb.CREATE_VM} {name}",
                f"{Verb.REBOOT_VM} {name}",
                *(previous if waits else ()),
            ),
        )
        if waits:
            previous = (step,)


def lacks_preparation(situation: Situation, view: InstanceView) -> bool:
    """Whether the machine is not known to have what it needs."""
    if not situation.abilities.stock_images:
        return False
    # What a release needs of a member's machine, nobody knows before it is there.
    unknown = situation.observation.release is None and view.instance.role is Role.ETCD
    return situation.is_new(view) or not view.prepared or (unknown and gets_release(situation, view))


def _why(situation: Situation, view: InstanceView) -> str:
    if situation.is_new(view):
        return "its machine comes from a stock image"
    if view.drift is None or view.prepared:
        return "it may lack something it needs"
    return "what the machines need has changed"
