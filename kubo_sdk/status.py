"""Tells how a cluster is, out of one probe: what every source says of every instance, and the verdict in one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubo_sdk.engine.clock import Clock
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.status import ClusterStatus, EtcdStatus, Expiry, InstanceStatus, SourceStatus
from kubo_sdk.planning.health import HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.planning.quorum import quorum
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.probe import Prober
from kubo_sdk.providers import Providers

# Certificates are warned of this many days before they end.
SOON_DAYS = 30
MOST_NAMES = 8


def read_status(spec: ClusterSpec, providers: Providers, clock: Clock) -> ClusterStatus:
    """How the cluster is now.  Nothing is changed; whoever does not answer within a moment is reported as silent."""
    with Prober(spec, providers, clock) as prober:
        report = prober.probe()
        return status_of(spec, report, prober.endpoint)


def status_of(spec: ClusterSpec, report: HealthReport, endpoint: Endpoint | None) -> ClusterStatus:
    """*report* as people and programs want it.  Pure."""
    instances = tuple(_instance(health, report) for health in report.instances)
    expires, etcd = _soonest(report), _etcd(report)
    sick = _sickness(report, instances, etcd, expires)
    return ClusterStatus(
        cluster=str(spec.id),
        kubernetes=str(spec.kubernetes.version),
        endpoint=f"https://{endpoint.host}:{endpoint.port}" if endpoint else "",
        healthy=not sick,
        verdict="; ".join((sick or f"healthy: {_count(instances)}", *_remarks(report, instances, expires))),
        instances=instances,
        at=report.at,
        expires=expires,
        expiries=tuple(_expiry(report, leaf, at) for leaf, at in sorted(report.expiries, key=lambda each: each[1])),
        rotating=report.rotating,
        etcd=etcd,
        paused=report.cluster_paused,
    )


def _instance(health: InstanceHealth, report: HealthReport) -> InstanceStatus:
    instance, vm = health.instance, health.vm
    return InstanceStatus(
        instance=instance.id,
        role=str(instance.role),
        state=next(fact.word for fact in health.facts if fact.source is Source.MACHINE),
        address=vm.address if vm else "",
        az=vm.az if vm else instance.az,
        healthy=health.is_healthy,
        facts={str(fact.source): fact.word for fact in health.facts},
        sources=tuple(
            SourceStatus(
                source=str(fact.source),
                verdict=str(fact.verdict),
                word=fact.word,
                age=max(0.0, (report.at - fact.seen).total_seconds()),
                details=fact.details,
            )
            for fact in health.facts
        ),
        paused=instance.id in report.paused,
        stopped=instance.id in report.stopped,
    )


def _soonest(report: HealthReport) -> Expiry | None:
    if not report.expiries:
        return None
    return _expiry(report, *min(report.expiries, key=lambda expiry: expiry[1]))


def _expiry(report: HealthReport, leaf: str, at: datetime) -> Expiry:
    return Expiry(credential=leaf, at=at, days=(at - report.at).days)


def _etcd(report: HealthReport) -> EtcdStatus | None:
    """By etcd's own list of members; by the wished-for ones when nobody could tell it."""
    if report.members is not None:
        voting = [member for member in report.members if not member.learner]
        healthy = sum(member.healthy for member in voting)
        return EtcdStatus(members=len(voting), healthy=healthy, quorum=quorum(len(voting)))
    wished = [health for health in report.instances if health.instance.role is Role.ETCD]
    if not any(health.says(Source.ETCD, Verdict.BAD) for health in wished):
        return None
    return EtcdStatus(members=len(wished), healthy=0, quorum=quorum(len(wished)))


def _sickness(
    report: HealthReport, instances: Sequence[InstanceStatus], etcd: EtcdStatus | None, expires: Expiry | None
) -> str:
    """What is wrong with the cluster, the worst first; empty when nothing is."""
    sick = [each.instance for each in instances if not each.healthy and not each.stopped]
    if all(health.vm is None for health in report.instances):
        return "there is no cluster; run: kubo up"
    if etcd is not None and etcd.healthy < etcd.quorum:
        return (
            f"etcd has lost its quorum: {etcd.healthy} of its {etcd.members} members serve and {etcd.quorum} must, "
            f"so nothing can be changed; unhealthy: {_names(sick)}"
        )
    if expires is not None and expires.at <= report.at:
        return f"the certificate {expires.credential} ended on {expires.at:%Y-%m-%d %H:%M} UTC"
    if not report.api_ready:
        return f"the API does not answer; unhealthy: {_names(sick) or 'nobody else'}"
    if sick:
        return f"{len(instances) - len(sick)} of {len(instances)} instances are healthy; unhealthy: {_names(sick)}"
    return ""


def _remarks(report: HealthReport, instances: Sequence[InstanceStatus], expires: Expiry | None) -> list[str]:
    """What is worth a word and makes nobody sick."""
    remarks = []
    if expires is not None and 0 <= expires.days < SOON_DAYS and expires.at > report.at:
        remarks.append(f"the certificate {expires.credential} ends in {expires.days} days")
    if report.rotating:
        remarks.append(f"the rotation of {_names(report.rotating)} is half done; kubo rotate goes on with it")
    stopped = [each.instance for each in instances if each.stopped]
    if stopped:
        remarks.append(f"stopped: {_names(stopped)}")
    paused = "everything" if report.cluster_paused else _names([each.instance for each in instances if each.paused])
    if paused:
        remarks.append(f"repairs are paused: {paused}")
    return remarks


def _count(instances: Sequence[InstanceStatus]) -> str:
    running = sum(not each.stopped for each in instances)
    return f"{running} instances" if running == len(instances) else f"{running} of {len(instances)} instances"


def _names(names: Sequence[str]) -> str:
    """The first few of them."""
    more = len(names) - MOST_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MOST_NAMES])} and {more} more"
