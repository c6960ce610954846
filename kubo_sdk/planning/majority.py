"""Follows etcd's membership through a plan that is to be made, and refuses one that would cost the majority."""

from __future__ import annotations

from attrs import define, field

from kubo_sdk.errors import UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.planning.membership import instance_of, is_formed, is_known
from kubo_sdk.planning.observation import role_of
from kubo_sdk.planning.quorum import quorum
from kubo_sdk.planning.situation import Situation


@define
class Voters:
    """The voting members, by instance id: whether each serves."""

    serving: dict[str, bool] = field(factory=dict)

    @property
    def has_majority(self) -> bool:
        return sum(self.serving.values()) >= quorum(len(self.serving))

    def without(self, name: str) -> Voters:
        """As it would be with that member removed."""
        return Voters({other: serves for other, serves in self.serving.items() if other != name})

    def while_away(self, names: set[str]) -> Voters:
        """As it is while these members do not serve."""
        return Voters({name: serves and name not in names for name, serves in self.serving.items()})


def check_readable(situation: Situation) -> None:
    """Raise UnsafePlan when etcd does not answer, and what is left of its data can never make a majority."""
    observation = situation.observation
    if observation.members is not None or not is_formed(observation):
        return
    known = [view for view in observation.instances if view.instance.role is Role.ETCD and is_known(observation, view)]
    strangers = [vm for vm in observation.strangers if role_of(vm) is Role.ETCD]
    lost = [view.instance.id for view in known if view.instance.id in situation.membership.postponed]
    if lost and len(known) - len(lost) + len(strangers) < quorum(len(known) + len(strangers)):
        survivors = [view.instance.id for view in known if view.instance.id not in lost]
        raise UnsafePlan(_lost(situation, lost, survivors))
    waiting = [name for name in situation.repair.condemned if name in lost]
    if waiting:
        raise UnsafePlan(
            f"etcd of cluster {situation.spec.id} does not answer, so {', '.join(waiting)} cannot give up its data; "
            "start its other members first: kubo heal"
        )


def _lost(situation: Situation, lost: list[str], survivors: list[str]) -> str:
    head = f"etcd of cluster {situation.spec.id} has lost its quorum: the data of {', '.join(lost)} is gone"
    if not survivors:
        return f"{head}, and with it all that was stored; delete the cluster and make it anew"
    return (
        f"{head} and only {', '.join(survivors)} {'has' if len(survivors) == 1 else 'have'} any; "
        f"to go on with that alone: kubo recover {survivors[0]} --force"
    )


def check_majority(situation: Situation, *, force: bool) -> None:
    """Raise UnsafePlan when a step of the plan would leave etcd without a majority that serves."""
    members = situation.observation.members
    if members is None:
        return
    voters = Voters({instance_of(each.name): each.healthy for each in members if each.name and not each.learner})
    for name in (*situation.membership.lost, *situation.dead_leaving):
        voters = _removed(situation, voters, name)
    away = _away(situation, voters)
    if away and not voters.while_away(away).has_majority and not force:
        raise UnsafePlan(_too_few(situation, sorted(away), "or say that it may be away for a while: --force"))
    for view in situation.of(Role.ETCD):
        name = view.instance.id
        joins = name in situation.membership.joining or name in situation.membership.learners
        if joins or (name in voters.serving and situation.is_awaited(view)):
            voters.serving[name] = True  # The plan waits for it before it goes on.
    for view in situation.of(Role.ETCD):
        name = view.instance.id
        if situation.is_loud(view) and len(voters.serving) > 1 and not voters.while_away({name}).has_majority:
            raise UnsafePlan(_too_few(situation, [name], "then deploy again"))
    for name in situation.live_leaving:
        voters = _removed(situation, voters, name)


def _too_few(situation: Situation, names: list[str], remedy: str) -> str:
    return (
        f"without {', '.join(names)} too few etcd members of cluster {situation.spec.id} serve for a majority; "
        f"bring the others back first, {remedy}"
    )


def _away(situation: Situation, voters: Voters) -> set[str]:
    """The members that serve now and stop for a while, with their data kept."""
    going = {*situation.repair.condemned, *situation.repair.reboot} - set(situation.membership.lost)
    away = {name for name in going if voters.serving.get(name, False)}
    if len(away) > 1:
        raise UnsafePlan(
            f"{', '.join(sorted(away))} of cluster {situation.spec.id} all serve; replace them one after the other"
        )
    return away


def _removed(situation: Situation, voters: Voters, name: str) -> Voters:
    if name not in voters.serving:
        return voters  # A learner has no vote.
    left = voters.without(name)
    if not left.serving:
        raise UnsafePlan(
            f"{name} is the last etcd member of cluster {situation.spec.id}, and what it keeps is all there is; "
            "it can be replaced with its disk, not without"
        )
    if not voters.has_majority or not left.has_majority:
        serving = sum(left.serving.values())
        raise UnsafePlan(
            f"without {name} only {serving} of {len(left.serving)} etcd members of cluster {situation.spec.id} would "
            "serve, too few for a majority; bring the others back first: kubo heal"
        )
    return left
