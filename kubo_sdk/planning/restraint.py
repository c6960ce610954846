"""Restraint: which repairs must wait because they would take away what still serves, or what etcd's majority needs."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from attrs import define, field

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.planning.decision import Choice, Standing
from kubo_sdk.planning.diagnosis import lost_quorum
from kubo_sdk.planning.health import HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.planning.quorum import against_removal, may_stop
from kubo_sdk.planning.resolutions import Resolution

# Of the workers of a group that serve, so many percent may be taken away at once; one always may.
WORKER_SHARE = 20

_ORDER = (Role.ETCD, Role.MASTER, Role.PROXY, Role.WORKER, None)
_SERVES = {Role.ETCD: Source.ETCD, Role.MASTER: Source.API, Role.WORKER: Source.NODE, Role.PROXY: Source.UNITS}


@define
class Restraint:
    """Lets choices pass one by one, and remembers what those that passed take away."""

    report: HealthReport
    _taken: list[InstanceHealth] = field(factory=list)
    _emptied: list[str] = field(factory=list)
    _etcd_acts: bool = False

    def restrain(self, choices: Iterable[Choice]) -> tuple[Choice, ...]:
        """*choices* with those waiting that may not act now.  etcd comes first: everything else needs it."""
        ordered = sorted(enumerate(choices), key=lambda each: (_ORDER.index(self._role(each[1])), each[0]))
        told = {place: self._judged(choice) for place, choice in ordered}
        return tuple(told[place] for place in sorted(told))

    def _judged(self, choice: Choice) -> Choice:
        if choice.standing is not Standing.ACT:
            return choice
        against = self._against(choice)
        if against:
            return attrs.evolve(choice, standing=Standing.WAIT, why=against, attempt=0, attempts=0)
        self._note(choice)
        return choice

    def _role(self, choice: Choice) -> Role | None:
        instance = choice.problem.instance
        return self.report.health(instance).instance.role if instance else None

    def _note(self, choice: Choice) -> None:
        if choice.problem.instance:
            health = self.report.health(choice.problem.instance)
            self._etcd_acts |= health.instance.role is Role.ETCD
            if choice.resolution.is_disruptive and serves(health):
                self._taken.append(health)
        if choice.resolution in (Resolution.RECREATE_EMPTY, Resolution.REMOVE_MEMBER):
            self._emptied.append(choice.problem.subject)

    def _against(self, choice: Choice) -> str:
        """Why *choice* must wait; empty when it need not."""
        if choice.resolution is Resolution.REMOVE_MEMBER:
            return self._against_leaving(choice.problem.details[0], added=0)
        if not choice.problem.instance or not choice.resolution.is_disruptive:
            return ""
        health = self.report.health(choice.problem.instance)
        if health.instance.role is Role.ETCD:
            return self._against_etcd(choice, health)
        if lost_quorum(self.report) and not self._etcd_acts:
            return "it waits for etcd, which has lost its quorum"
        return self._against_taking(health) if serves(health) else ""

    def _against_etcd(self, choice: Choice, health: InstanceHealth) -> str:
        slug = health.instance.slug
        if choice.resolution is Resolution.RECREATE_EMPTY:
            member = next((each for each in self.report.members or () if each.name == slug), None)
            if self.report.members is None:
                return "no etcd member can tell who the members are, so none may be made empty"
            return self._against_leaving(f"{member.id:x}" if member else "", added=1)
        taken = [each.instance.slug for each in self._taken if each.instance.role is Role.ETCD]
        if serves(health) and not may_stop(self.report.members or (), [slug, *taken]):
            return "etcd would lose its quorum without it; it waits for the other members"
        return ""

    def _against_leaving(self, member_id: str, *, added: int) -> str:
        if self._emptied or self._taken_etcd():
            return "etcd's members are changed one at a time"
        members = self.report.members or ()
        member = next((each for each in members if f"{each.id:x}" == member_id), None)
        if member is None:  # It left already; it only has to come back.
            return ""
        return against_removal(members, self._machines(), member, added=added)

    def _taken_etcd(self) -> bool:
        return any(each.instance.role is Role.ETCD for each in self._taken)

    def _machines(self) -> tuple[str, ...]:
        return tuple(health.instance.slug for health in self.report.instances if health.vm is not None)

    def _against_taking(self, health: InstanceHealth) -> str:
        """Something that still serves goes only beside others of its kind, and few at a time, of one AZ."""
        mine = health.instance
        group = [each for each in self.report.instances if _alike(each.instance, mine)]
        taken = [each for each in self._taken if _alike(each.instance, mine)]
        most = max(1, len(group) * WORKER_SHARE // 100) if mine.role is Role.WORKER else 1
        if len(taken) >= most or any(each.instance.az != mine.az for each in taken):
            return f"it still serves, and waits for {', '.join(each.instance.id for each in taken)}"
        others = [each for each in group if serves(each) and each not in taken and each is not health]
        if not others and (len(group) > 1 or mine.role is Role.MASTER) and self.report.api_ready:
            return f"it is the last {mine.role} that serves"
        return ""


def serves(health: InstanceHealth) -> bool:
    """Whether the instance does what its role is there for.  Of a master that can be entered nobody can be sure."""
    role = health.instance.role
    return health.says(_SERVES[role], Verdict.GOOD) or (role is Role.MASTER and health.says(Source.SHELL, Verdict.GOOD))


def _alike(one: Instance, other: Instance) -> bool:
    """Workers of one group stand in for each other; of the other roles, all do."""
    return one.role is other.role and (one.role is not Role.WORKER or one.group == other.group)
