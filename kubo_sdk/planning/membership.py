"""Membership: who must join etcd, and who must leave it, so that its members are those of the spec.  Pure.

etcd's own list says who is a member.  While nobody can read it, nobody joins: members come back with their data, and
the next plan sees the list.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.repair import Repair


@frozen(kw_only=True)
class Membership:
    """Instances by id.

    ``joining`` become learners and are promoted.  ``lost`` are members without their data: they are removed first.
    ``learners`` have joined and wait for their promotion.  ``leaving`` are members the spec does not list.
    ``postponed`` cannot join before etcd answers.
    """

    joining: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    learners: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()


def membership(spec: ClusterSpec, observation: Observation, abilities: Abilities, repair: Repair) -> Membership:
    """What has to change about the members.  Empty for a cluster that is about to be formed."""
    if repair.anew:
        return Membership()
    views = [view for view in observation.instances if view.instance.role is Role.ETCD]
    acted = [view for view in views if view.instance.id not in repair.leave]
    if observation.members is None:
        return _unread(observation, acted, abilities, spec, repair) if is_formed(observation) else Membership()
    listed = {slug_in(member): member for member in observation.members}
    joining, lost, learners = [], [], []
    for view in acted:
        member, name = listed.get(view.instance.slug), view.instance.id
        gone = has_lost_data(view, abilities, spec, repair)
        if member is None or not member.name or gone:
            joining.append(name)
            if member is not None and member.name:
                lost.append(name)
        elif member.learner:
            learners.append(name)
    wished = {view.instance.slug for view in views}
    leaving = tuple(instance_of(slug) for slug in listed if slug not in wished)
    return Membership(joining=tuple(joining), lost=tuple(lost), learners=tuple(learners), leaving=leaving)


def is_formed(observation: Observation) -> bool:
    """Whether etcd has ever run: its certificates are made in one go before its first members start."""
    views = [view for view in observation.instances if view.instance.role is Role.ETCD]
    return any(view.configured or (is_known(observation, view) and _is_away(view)) for view in views)


def _is_away(view: InstanceView) -> bool:
    """Whether nobody can look at what the machine carries."""
    return not view.exists or view.is_stopped or not view.reachable


def is_known(observation: Observation, view: InstanceView) -> bool:
    """Whether the instance was given etcd's certificates, and so was or was about to be a member."""
    return f"etcd-server-{view.instance.slug}" in observation.credentials


def has_lost_data(view: InstanceView, abilities: Abilities, spec: ClusterSpec, repair: Repair) -> bool:
    """Whether what the member kept is gone, or goes with this plan."""
    name = view.instance.id
    if name in repair.wipe:
        return True
    if abilities.disks and spec.group(view.instance.group).persistent_disk_mb > 0:
        return view.disk is None and (not view.exists or name in repair.replace)
    return not view.exists or name in repair.replace


def _unread(
    observation: Observation, views: list[InstanceView], abilities: Abilities, spec: ClusterSpec, repair: Repair
) -> Membership:
    postponed = (
        view.instance.id
        for view in views
        if not is_known(observation, view) or has_lost_data(view, abilities, spec, repair)
    )
    return Membership(postponed=tuple(postponed))


class Named(Protocol):
    """What tells whose member it is."""

    @property
    def name(self) -> str: ...

    @property
    def peer_urls(self) -> tuple[str, ...]: ...


def slug_in(member: Named) -> str:
    """The slug of the member's instance; one that never started has no name, and tells by its host name."""
    if member.name or not member.peer_urls:
        return member.name
    return member.peer_urls[0].partition("://")[2].partition(":")[0].partition(".")[0]


def slug_of_instance(instance_id: str) -> str:
    """``etcd-0`` for ``etcd/0``."""
    return instance_id.replace("/", "-")


def instance_of(slug: str) -> str:
    """The id of the instance of that slug: ``etcd/0`` for ``etcd-0``."""
    group, _, index = slug.rpartition("-")
    return f"{group}/{index}"
