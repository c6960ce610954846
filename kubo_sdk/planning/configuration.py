"""Plans what is put on the machines, and in which order, so that etcd keeps its majority and the API its servers."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.machines import move_leadership
from kubo_sdk.planning.observation import InstanceView
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.preparation import plan_preparation
from kubo_sdk.planning.situation import Situation
from kubo_sdk.planning.upgrade import gets_release, masters_lag, version_change

# A new machine waits for these before it is configured; a running one too, because it may name what they make.
IDENTITIES = (Verb.ISSUE_AUTHORITIES, Verb.ISSUE_CERTIFICATES, Verb.ENSURE_ENDPOINTS)


ETCD = "etcd.service"


def plan_configuration(draft: Draft, situation: Situation) -> None:
    """etcd first, then the masters, which must not be told of a member that cannot serve yet; then the rest.

    Whoever serves now is disturbed after those before it serve again, so that a change that is no good stops at the
    first.  Workers that serve come last of all: `plan_workers`.
    """
    plan_preparation(draft, situation)
    at_once = _at_once(draft, situation, Role.ETCD)
    joined = _joins(draft, situation, after=at_once)
    members = _in_turn(draft, situation, Role.ETCD, after=(*draft.ids(Verb.REMOVE_MEMBER), *(joined or at_once)))
    masters = _at_once(draft, situation, Role.MASTER, needs=joined)
    masters = _in_turn(draft, situation, Role.MASTER, needs=joined, after=(*members, *masters))
    _at_once(draft, situation, Role.PROXY)
    _in_turn(draft, situation, Role.PROXY, after=(*members, *masters))
    # No kubelet may be newer than the API servers, not even that of a new machine.
    upgraded = masters if masters_lag(situation) else ()
    for view in situation.of(Role.WORKER):
        if not situation.is_loud(view):
            work(draft, situation, view, needs=upgraded)


def _at_once(draft: Draft, situation: Situation, role: Role, *, needs: Iterable[str] = ()) -> tuple[str, ...]:
    """Work on those instances of a role that do not serve, or are not disturbed.  Returns what to wait for."""
    awaited = []
    for view in _members_of(situation, role):
        if not situation.is_loud(view):
            worked = work(draft, situation, view, needs=needs)
            units = touched(situation, view)
            if situation.is_awaited(view) and (units or role is not Role.PROXY):
                awaited.append(_await(draft, view, needs=worked, units=units))
    return tuple(awaited)


def _in_turn(
    draft: Draft, situation: Situation, role: Role, *, after: Iterable[str], needs: Iterable[str] = ()
) -> tuple[str, ...]:
    """Work on those that serve now one after the other, once the others serve.  Returns what to wait for.

    Where nothing serves there is nothing to keep, and one might wait for the other for ever.
    """
    observation = situation.observation
    serves = observation.members is not None if role is Role.ETCD else observation.api_ready
    previous = tuple(after) if serves else ()
    for view in _members_of(situation, role):
        if situation.is_loud(view):
            led = _hands_over(draft, situation, view, needs=previous) if serves else ()
            worked = work(draft, situation, view, needs=(*needs, *previous, *led))
            step = _await(draft, view, needs=worked, units=touched(situation, view))
            previous = (step,) if serves else ()
    return previous


def _hands_over(draft: Draft, situation: Situation, view: InstanceView, *, needs: Iterable[str]) -> tuple[str, ...]:
    """A member that leads when it is restarted would leave the others without a leader for a second or two."""
    units = touched(situation, view)
    if view.instance.role is not Role.ETCD or len(situation.observation.members or ()) < 2:
        return ()
    if units and ETCD not in units:
        return ()
    return (move_leadership(draft, view.instance.id, needs=needs),)


def _members_of(situation: Situation, role: Role) -> tuple[InstanceView, ...]:
    """Those of a role, but whoever is to join etcd; first who has yet to prove that a change was any good.

    Whoever leads etcd comes last: leadership then moves once, to one that was changed already.
    """
    leading = {member.name for member in situation.observation.members or () if member.leader}
    joining = {*situation.membership.joining, *situation.membership.learners}
    views = (view for view in situation.of(role) if view.instance.id not in joining)
    return tuple(sorted(views, key=lambda view: (not view.on_trial, view.instance.slug in leading)))


def touched(situation: Situation, view: InstanceView) -> tuple[str, ...]:
    """The units whose restart has to be waited for."""
    if situation.is_new(view):
        return ()
    if situation.is_rebooted(view):
        return view.units
    restarted = situation.restarted.get(view.instance.id, ())
    tried = view.units if view.on_trial else ()
    return tuple(dict.fromkeys((*restarted, *situation.restarting_units(view), *tried)))


def work(draft: Draft, situation: Situation, view: InstanceView, *, needs: Iterable[str] = ()) -> tuple[str, ...]:
    """Configure the instance and restart its units, as far as it needs that.  Returns what to wait for."""
    name = view.instance.id
    before = [*needs, Verb.FETCH_RELEASE, *IDENTITIES, *_made(name)]
    done = [f"{Verb.REBOOT_VM} {name}"]
    if situation.wants_configuration(view):
        before += _install(draft, situation, view, needs=before)
        units = situation.restarting_units(view)
        restarts = situation.is_loud(view)
        done.append(
            draft.add(
                Verb.CONFIGURE_INSTANCE,
                instance=name,
                reason=_why(situation, view),
                effect=Effect.RESTART if restarts else Effect.CHANGE,
                needs=before,
                details=units,
            )
        )
    if name in situation.restarted and not situation.is_new(view):
        done.append(
            draft.add(
                Verb.RESTART_UNITS,
                instance=name,
                reason="they do not run as they should",
                effect=Effect.RESTART,
                needs=(*needs, *done),
                details=situation.restarted[name],
            )
        )
    return tuple(done)


def _made(name: str) -> tuple[str, ...]:
    return tuple(f"{verb} {name}" for verb in (Verb.CREATE_VM, Verb.REBOOT_VM, Verb.PREPARE_INSTANCE))


def _install(draft: Draft, situation: Situation, view: InstanceView, *, needs: Iterable[str]) -> list[str]:
    lacks = situation.is_new(view) or situation.is_rebooted(view) or gets_release(situation, view)
    if situation.abilities.shares_trees or not lacks:
        return []
    step = draft.add(
        Verb.INSTALL_RELEASE,
        instance=view.instance.id,
        reason="the machine may lack the Kubernetes software",
        effect=Effect.CREATE,
        needs=(Verb.FETCH_RELEASE, *needs),
    )
    return [step]


def _why(situation: Situation, view: InstanceView) -> str:
    if situation.is_new(view):
        return "its machine is new"
    if view.drift is None or not view.settled or situation.is_blind:
        return "certificates or addresses of the cluster change"
    change = version_change(situation, view)
    counts = f"{len(view.drift.files)} files and {len(view.drift.units)} units differ"
    return f"{change}: {counts}" if change else counts


def _await(draft: Draft, view: InstanceView, *, needs: Iterable[str] = (), units: tuple[str, ...] = ()) -> str:
    name = view.instance.id
    steps = (f"{verb} {name}" for verb in (Verb.CONFIGURE_INSTANCE, Verb.RESTART_UNITS, Verb.REBOOT_VM))
    return draft.add(
        Verb.AWAIT_INSTANCE,
        instance=name,
        reason="it must serve before the work goes on",
        effect=Effect.WAIT,
        needs=(*needs, *steps),
        details=units,
    )


def _joins(draft: Draft, situation: Situation, *, after: Iterable[str]) -> tuple[str, ...]:
    """One member after the other: a learner that has not caught up would only make the majority larger."""
    previous: tuple[str, ...] = (*after, *configured(draft, situation, Role.ETCD))
    if not (situation.membership.joining or situation.membership.learners):
        return ()
    for view in situation.of(Role.ETCD):
        name = view.instance.id
        if name in situation.membership.joining:
            joined = draft.add(
                Verb.JOIN_MEMBER,
                instance=name,
                reason="it comes empty" if name in situation.membership.lost else "etcd does not have it as a member",
                effect=Effect.CHANGE,
                needs=(*previous, *IDENTITIES, Verb.PUBLISH_NAMES, *_made(name)),
            )
            previous = (joined,)
        elif name not in situation.membership.learners:
            continue
        worked = work(draft, situation, view, needs=previous)
        promoted = draft.add(
            Verb.PROMOTE_MEMBER,
            instance=name,
            reason="it may vote once it has caught up",
            effect=Effect.CHANGE,
            needs=(*previous, *worked),
        )
        previous = (_await(draft, view, needs=(promoted,)),)
    return previous


def configured(draft: Draft, situation: Situation, role: Role) -> tuple[str, ...]:
    """The configure steps of one role, as far as the plan has them."""
    ids = (f"{Verb.CONFIGURE_INSTANCE} {view.instance.id}" for view in situation.of(role))
    return tuple(step for step in ids if step in draft)
