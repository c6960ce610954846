"""Reach: whether a machine is cut off, or whether it is the API's endpoint that nobody reaches.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from kubo_sdk.model.instance import Role
from kubo_sdk.planning.health import Fact, HealthReport, InstanceHealth, Source, Verdict

SILENT = "silent"

# What the director asks of a machine over the network itself.
_ASKED = (Source.API, Source.ETCD)


def is_cut_off(report: HealthReport, health: InstanceHealth) -> bool:
    """Whether *health*'s machine reaches nobody while somebody else does, or while it is silent alone."""
    fact = health.fact(Source.NETWORK)
    if fact is None or fact.verdict is not Verdict.BAD:
        return False
    others = [each for each in report.instances if each is not health]
    if not reached(report, others).isdisjoint(fact.details):
        return True
    return _is_silent(health) and any(_is_heard(each) for each in others)


def reached(report: HealthReport, instances: Iterable[InstanceHealth]) -> set[str]:
    """Whom *instances* reach, and the director: ``HOST:PORT``."""
    found = {report.endpoint} if report.api_ready else set()
    for health in instances:
        fact = health.fact(Source.NETWORK)
        if fact is not None and fact.verdict is Verdict.GOOD:
            found |= set(fact.details)
        if health.vm is not None and _is_heard(health):
            found |= {address for address in _tried(report) if address.startswith(f"{health.vm.address}:")}
    return found


def is_endpoint_dead(report: HealthReport) -> bool:
    """Whether API servers are ready, and nobody gets to them by the endpoint: neither the director nor a machine.

    An endpoint may take connections and do nothing with them.  Then no Node is ready either.
    """
    ready = any(health.says(Source.API, Verdict.GOOD) for health in report.instances)
    if report.api_ready or not report.endpoint or not ready:
        return False
    tried = [fact for health in report.instances if (fact := health.fact(Source.NETWORK)) is not None]
    said = [fact.verdict for fact in tried if report.endpoint in fact.details]
    nodes = [health.fact(Source.NODE) for health in report.instances if health.instance.role is Role.WORKER]
    return bool(said) and (
        all(verdict is Verdict.BAD for verdict in said)
        or all(node is not None and node.verdict is Verdict.BAD for node in nodes)
    )


def front_of(report: HealthReport) -> InstanceHealth | None:
    """The proxy on which the endpoint is; None when it is on no machine of the cluster."""
    host = report.endpoint.rpartition(":")[0]
    proxies = (health for health in report.instances if health.instance.role is Role.PROXY)
    return next((health for health in proxies if health.vm is not None and health.vm.address == host), None)


def _tried(report: HealthReport) -> set[str]:
    facts = (health.fact(Source.NETWORK) for health in report.instances)
    return {address for fact in facts if fact is not None for address in fact.details}


def _is_silent(health: InstanceHealth) -> bool:
    return any(fact.verdict is Verdict.BAD and fact.word.startswith(SILENT) for fact in _direct(health))


def _is_heard(health: InstanceHealth) -> bool:
    return any(
        fact.verdict is Verdict.GOOD or (fact.verdict is Verdict.BAD and not fact.word.startswith(SILENT))
        for fact in _direct(health)
    )


def _direct(health: InstanceHealth) -> list[Fact]:
    return [fact for fact in health.facts if fact.source in _ASKED]
