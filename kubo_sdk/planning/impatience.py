"""Impatience: a unit that still starts long after a restart the director ordered is no unit that merely starts.  Pure.

systemd's own time to start is that of a whole machine; who has restarted a unit in vain need not wait for the rest.
"""

from __future__ import annotations

from datetime import timedelta

import attrs

from kubo_sdk.model.spec import HealthSpec
from kubo_sdk.planning.health import HealthReport, InstanceHealth, Source, Verdict
from kubo_sdk.planning.history import History
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.planning.rungs import UNIT_SHARE


def impatient(report: HealthReport, history: History, policy: HealthSpec) -> HealthReport:
    """*report*, with units that start judged bad where a restart has had its time."""
    return attrs.evolve(
        report,
        instances=tuple(
            _judged(health) if _is_late(health, report, history, policy) else health for health in report.instances
        ),
    )


def _is_late(health: InstanceHealth, report: HealthReport, history: History, policy: HealthSpec) -> bool:
    units = health.fact(Source.UNITS)
    if units is None or units.verdict is not Verdict.UNKNOWN or not units.details:
        return False
    tried = history.unhelpful_for(health.instance.id)
    if not tried or tried[-1].resolution is not Resolution.RESTART_UNITS:
        return False
    return report.at >= tried[-1].at + timedelta(seconds=policy.startup_seconds * UNIT_SHARE)


def _judged(health: InstanceHealth) -> InstanceHealth:
    facts = tuple(
        attrs.evolve(fact, verdict=Verdict.BAD, word=f"{fact.word} since its restart")
        if fact.source is Source.UNITS
        else fact
        for fact in health.facts
    )
    return attrs.evolve(health, facts=facts)
