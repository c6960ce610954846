"""Situation: what a deploy is planned from, and the questions every part of planning asks of it.  Pure."""

from __future__ import annotations

from functools import cached_property

from attrs import define, evolve

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.membership import Membership, instance_of, membership
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.repair import Repair


@define(kw_only=True, slots=False)
class Situation:
    """The wish, the facts, and what is to be repaired beside.

    ``takes_away``: what the spec does not list any more goes.
    """

    spec: ClusterSpec
    observation: Observation
    abilities: Abilities
    repair: Repair
    takes_away: bool = True

    @cached_property
    def views(self) -> tuple[InstanceView, ...]:
        """The instances something may be done to."""
        left = {*self.repair.leave, *self.membership.postponed}
        return tuple(view for view in self.observation.instances if view.instance.id not in left)

    @cached_property
    def membership(self) -> Membership:
        """Who joins and who leaves etcd."""
        found = membership(self.spec, self.observation, self.abilities, self.repair)
        return found if self.takes_away else evolve(found, leaving=())

    @cached_property
    def dead_leaving(self) -> tuple[str, ...]:
        """Members that leave etcd and do not serve: without them fewer make a majority, so they go first."""
        healthy = {instance_of(member.name) for member in self.observation.members or () if member.healthy}
        return tuple(name for name in self.membership.leaving if name not in healthy)

    @cached_property
    def live_leaving(self) -> tuple[str, ...]:
        """The other members that leave etcd, who leads it last."""
        leading = {instance_of(member.name) for member in self.observation.members or () if member.leader}
        alive = (name for name in self.membership.leaving if name not in self.dead_leaving)
        return tuple(sorted(alive, key=lambda name: name in leading))

    @cached_property
    def condemned(self) -> frozenset[str]:
        return frozenset(self.repair.condemned)

    @cached_property
    def restarted(self) -> dict[str, tuple[str, ...]]:
        """The units to restart, by instance; where none are named, all of them."""
        there = {view.instance.id: view.units for view in self.views}
        return {name: units or there.get(name, ()) for name, units in self.repair.restart_units}

    @cached_property
    def moves(self) -> bool:
        """True when machines are made whose addresses others may name."""
        return any(not view.exists or self.is_condemned(view) for view in self.views)

    @cached_property
    def is_blind(self) -> bool:
        """True when the observation counts on addresses of machines that go: then everybody may name one of them."""
        return bool(self.condemned - set(self.observation.unknown))

    def of(self, role: Role) -> tuple[InstanceView, ...]:
        return tuple(view for view in self.views if view.instance.role is role)

    def is_condemned(self, view: InstanceView) -> bool:
        return view.instance.id in self.condemned

    def is_new(self, view: InstanceView) -> bool:
        """True when a machine is filled from nothing.  Of one that cannot be asked, nobody knows what it carries."""
        if self.is_condemned(view) or not view.exists:
            return True
        return not view.configured and not view.is_stopped and view.reachable

    def is_rebooted(self, view: InstanceView) -> bool:
        stands_still = view.is_stopped or view.instance.id in self.repair.reboot
        return view.exists and not self.is_condemned(view) and stands_still

    def wants_disk(self, view: InstanceView) -> bool:
        return self.abilities.disks and self.spec.group(view.instance.group).persistent_disk_mb > 0

    def wants_configuration(self, view: InstanceView) -> bool:
        if self.is_new(view) or view.drift is None or self.is_blind:
            return True
        if not view.settled:
            missing = self.observation.missing_certificates or self.observation.missing_authorities
            return self.moves or bool(missing)
        return not view.drift.is_empty

    def restarting_units(self, view: InstanceView) -> tuple[str, ...]:
        """The units of a running machine that its new configuration restarts."""
        if self.is_new(view) or view.drift is None or not self.wants_configuration(view):
            return ()
        return view.drift.units

    def is_loud(self, view: InstanceView) -> bool:
        """True when configuring it may interrupt what it serves."""
        if self.is_new(view) or self.is_rebooted(view):
            return False
        if view.on_trial:
            return True  # Nobody has seen yet whether it serves with its last change.
        return self.wants_configuration(view) and (view.drift is None or bool(view.drift.units))

    def is_awaited(self, view: InstanceView) -> bool:
        """True when the plan goes on only after the instance serves."""
        touched = self.is_rebooted(view) or view.instance.id in self.restarted
        return self.is_new(view) or touched or self.is_loud(view)
