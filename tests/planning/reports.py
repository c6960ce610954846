"""Health reports for the tests of diagnosing and deciding: a healthy cluster, and what can be wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, HealthSpec, InstanceGroup, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.decide import decide
from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.diagnosis import diagnose
from kubo_sdk.planning.health import EtcdMemberView, Fact, HealthReport, InstanceHealth, NodeView, Source, Verdict
from kubo_sdk.planning.history import History
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.ports.cpi import Disk, Vm, VmState

START = datetime(2026, 1, 1, tzinfo=UTC)
KUBERNETES = KubernetesSpec(version=KubernetesVersion.parse("1.20.2"))
SPEC = ClusterSpec(name="c", kubernetes=KUBERNETES)
ENDPOINT = "10.0.0.9:8443"
ADDRESSES = {Role.ETCD: "10.0.0.3", Role.MASTER: "10.0.0.4", Role.WORKER: "10.0.0.2", Role.PROXY: "10.0.0.9"}
# Whom each role tries to reach; masters and members only when they were not well before.
DOORS = {Role.ETCD: "10.0.0.3:2380", Role.PROXY: "10.0.0.4:8443"}
CONCERNED = {Role.ETCD: Source.ETCD, Role.MASTER: Source.API, Role.WORKER: Source.NODE}


def spec_of(etcd: int = 3, master: int = 2, worker: int = 3, proxy: int = 1, azs: int = 1) -> ClusterSpec:
    zones = tuple(f"z{number + 1}" for number in range(azs))
    sizes = {Role.ETCD: etcd, Role.MASTER: master, Role.WORKER: worker, Role.PROXY: proxy}
    groups = tuple(
        InstanceGroup(
            name=role.value, role=role, instances=size, azs=zones, persistent_disk_mb=64 if role is Role.ETCD else 0
        )
        for role, size in sizes.items()
        if size
    )
    return ClusterSpec(name="c", kubernetes=KUBERNETES, instance_groups=groups)


def machine(instance: Instance, state: VmState = VmState.RUNNING) -> Vm:
    return Vm(
        id=f"vm-{instance.slug}",
        cluster=SPEC.id,
        instance=instance.id,
        token=instance.slug,
        state=state,
        address=ADDRESSES[instance.role],
        az=instance.az,
        provider_id=f"fake://{instance.slug}",
    )


def well(instance: Instance, at: datetime = START) -> InstanceHealth:
    sources = [Source.MACHINE, Source.SHELL, Source.UNITS]
    disk = None
    if instance.role is Role.ETCD:
        sources.append(Source.DISK)
        disk = Disk(
            id=f"disk-{instance.slug}",
            cluster=SPEC.id,
            instance=instance.id,
            token=instance.slug,
            size_mb=64,
            attached_to=f"vm-{instance.slug}",
        )
    if instance.role in CONCERNED:
        sources.append(CONCERNED[instance.role])
    facts = tuple(Fact(source=source, verdict=Verdict.GOOD, word="fine", seen=at) for source in sources)
    tried = (DOORS.get(instance.role, ENDPOINT),) if instance.role in (Role.WORKER, Role.PROXY) else ()
    facts += (Fact(source=Source.NETWORK, verdict=Verdict.GOOD, word="fine", seen=at, details=tried),)
    return InstanceHealth(instance=instance, vm=machine(instance), disk=disk, facts=facts)


def member(instance: Instance, number: int) -> EtcdMemberView:
    return EtcdMemberView(id=number + 1, name=instance.slug, peer_urls=(), healthy=True, leader=number == 0)


def node(instance: Instance) -> NodeView:
    return NodeView(
        name=f"node-{instance.slug}",
        instance=instance.slug,
        ready=True,
        reason="",
        provider_id=f"fake://{instance.slug}",
    )


def healthy(spec: ClusterSpec = SPEC, at: datetime = START) -> HealthReport:
    return HealthReport(
        at=at,
        instances=tuple(well(instance, at) for instance in spec.instances()),
        api_ready=True,
        endpoint=ENDPOINT,
        members=tuple(member(each, number) for number, each in enumerate(spec.instances(Role.ETCD))),
        nodes=tuple(node(each) for each in spec.instances(Role.WORKER)),
    )


def changed(report: HealthReport, instance_id: str, **changes: Any) -> HealthReport:
    instances = tuple(
        attrs.evolve(each, **changes) if each.instance.id == instance_id else each for each in report.instances
    )
    return attrs.evolve(report, instances=instances)


def saying(
    report: HealthReport, instance_id: str, source: Source, verdict: Verdict, word: str = "bad", details: str = ""
) -> HealthReport:
    """*report* with one fact of one instance told otherwise."""
    facts = tuple(
        attrs.evolve(fact, verdict=verdict, word=word, details=tuple(details.split()))
        if fact.source is source
        else fact
        for fact in report.health(instance_id).facts
    )
    return changed(report, instance_id, facts=facts)


def silent(report: HealthReport, *instance_ids: str, below: Source = Source.SHELL) -> HealthReport:
    """*report* with machines of which nobody hears; what lies above *below* is unknown."""
    for instance_id in instance_ids:
        for fact in report.health(instance_id).facts:
            if fact.source is not Source.MACHINE:
                verdict = Verdict.BAD if fact.source is below else Verdict.UNKNOWN
                report = saying(report, instance_id, fact.source, verdict, "silent: no answer in time")
        report = _without_member(report, instance_id)
    return report


def unreached(report: HealthReport, *instance_ids: str) -> HealthReport:
    """*report* with machines that can be entered and reach nobody."""
    for instance_id in instance_ids:
        door = DOORS.get(report.health(instance_id).instance.role, ENDPOINT)
        report = saying(report, instance_id, Source.NETWORK, Verdict.BAD, f"cannot reach {door}", door)
    return report


def missing(report: HealthReport, *instance_ids: str) -> HealthReport:
    for instance_id in instance_ids:
        report = silent(report, instance_id)
        report = saying(report, instance_id, Source.MACHINE, Verdict.BAD, "missing")
        report = saying(report, instance_id, Source.SHELL, Verdict.UNKNOWN)
        disk = report.health(instance_id).disk
        report = changed(report, instance_id, vm=None, disk=disk and attrs.evolve(disk, attached_to=None))
    return report


def off(report: HealthReport, *instance_ids: str) -> HealthReport:
    for instance_id in instance_ids:
        report = silent(report, instance_id)
        instance = report.health(instance_id).instance
        report = saying(report, instance_id, Source.SHELL, Verdict.UNKNOWN)
        report = changed(report, instance_id, vm=machine(instance, VmState.STOPPED))
    return report


def dead_unit(report: HealthReport, instance_id: str, *units: str) -> HealthReport:
    report = saying(report, instance_id, Source.UNITS, Verdict.BAD, "inactive", " ".join(units))
    above = CONCERNED.get(report.health(instance_id).instance.role)
    if above is not None:
        report = saying(report, instance_id, above, Verdict.BAD)
    return _without_member(report, instance_id)


def _without_member(report: HealthReport, instance_id: str) -> HealthReport:
    """The member of *instance_id* is down; without a majority nobody lists members."""
    if report.members is None:
        return report
    slug = report.health(instance_id).instance.slug
    members = tuple(
        attrs.evolve(each, healthy=False, leader=False) if each.name == slug else each for each in report.members
    )
    return attrs.evolve(report, members=members)


def later(report: HealthReport, seconds: float) -> HealthReport:
    return attrs.evolve(report, at=report.at + timedelta(seconds=seconds))


class Director:
    """Looks at reports one after the other, decides, and remembers what it did, as the monitor does."""

    def __init__(self, spec: ClusterSpec = SPEC, policy: HealthSpec | None = None) -> None:
        self.spec = spec
        self.policy = policy or spec.health
        self.history = History()
        self.now = START

    def look(self, report: HealthReport, after: float = 1.0) -> Decision:
        """What is decided when *report* is what one sees *after* seconds."""
        self.now += timedelta(seconds=after)
        report = attrs.evolve(report, at=self.now)
        problems = diagnose(report, self.spec)
        self.history = self.history.saw(problems, report)
        return decide(problems, report, self.history, self.policy, self.now)

    def settle(self, report: HealthReport) -> Decision:
        """What is decided once *report* has lasted long enough."""
        self.look(report)
        self.look(report, self.policy.unhealthy_after_seconds)
        return self.look(report, self.policy.silent_after_seconds)

    def act(self, decision: Decision, *, failed: bool = False, seconds: float = 1.0) -> None:
        """Do what was decided; it takes *seconds*."""
        chosen = [(choice.problem.instance or choice.problem.subject, choice.resolution) for choice in decision.acts]
        self.history = self.history.tried(chosen, self.now)
        self.now += timedelta(seconds=seconds)
        self.history = self.history.ended(self.now, failed=failed)


def acts(decision: Decision) -> dict[str, Resolution]:
    return {choice.problem.subject: choice.resolution for choice in decision.acts}


def choice_for(decision: Decision, subject: str) -> Choice:
    return next(choice for choice in decision.choices if choice.problem.subject == subject)


def standings(decision: Decision) -> set[Standing]:
    return {choice.standing for choice in decision.choices}
