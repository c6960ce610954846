"""A unit that still starts after a restart that was ordered is judged sooner than one that merely starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.history import History
from kubo_sdk.planning.impatience import impatient
from kubo_sdk.planning.resolutions import Resolution

from .reports import SPEC, START, healthy, later, saying

POLICY = SPEC.health
STARTING = saying(
    healthy(), "worker/0", Source.UNITS, Verdict.UNKNOWN, word="kubelet starting", details="kubelet.service"
)


def tried(resolution: Resolution) -> History:
    return History().tried([("worker/0", resolution)], START).ended(START + timedelta(seconds=30), failed=True)


def units(report: HealthReport) -> Verdict:
    fact = report.health("worker/0").fact(Source.UNITS)
    assert fact is not None
    return fact.verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(29, Verdict.UNKNOWN), (30, Verdict.BAD)])
def test_a_unit_that_was_restarted_in_vain_is_bad_after_the_time_of_a_unit(seconds: int, verdict: Verdict) -> None:
    report = impatient(later(STARTING, seconds), tried(Resolution.RESTART_UNITS), POLICY)
    assert units(report) is verdict


def test_a_unit_that_starts_with_its_machine_has_its_time() -> None:
    assert units(impatient(later(STARTING, 60), tried(Resolution.REBOOT), POLICY)) is Verdict.UNKNOWN
    assert units(impatient(later(STARTING, 60), History(), POLICY)) is Verdict.UNKNOWN


def test_a_machine_that_boots_is_left_alone() -> None:
    booting = saying(healthy(), "worker/0", Source.UNITS, Verdict.UNKNOWN, word="booting")
    assert units(impatient(later(booting, 60), tried(Resolution.RESTART_UNITS), POLICY)) is Verdict.UNKNOWN
