"""What the events of the monitor read like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubo_sdk.cli.progress.plain import line
from kubo_sdk.events import (
    BackupFailed,
    BackupTaken,
    Event,
    LookFailed,
    ProblemGone,
    ProblemSeen,
    RepairDecided,
    RepairRefused,
    RepairsHeld,
    RepairsResumed,
    RepairStopped,
)
from kubo_sdk.model.instance import ClusterId

WHEN = {"cluster": ClusterId(director="d", name="c"), "at": datetime(2026, 1, 1, tzinfo=UTC)}
WHOSE = {**WHEN, "problem": "failed_unit:worker/0", "instance": "worker/0"}


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ProblemSeen(**WHOSE, sentence="it is ill"), "worker/0     problem failed_unit:worker/0: it is ill"),
        (ProblemGone(**WHOSE, seconds=3.21), "worker/0     problem failed_unit:worker/0 is gone after 3.2 s"),
        (
            RepairDecided(**WHOSE, resolution="reboot", why="it is ill", attempt=2, attempts=5),
            "worker/0     reboot, attempt 2 of 5: it is ill",
        ),
        (
            RepairRefused(**WHOSE, why="it is paused"),
            "worker/0     failed_unit:worker/0 is left as it is: it is paused",
        ),
        (
            BackupTaken(**WHEN, backup="20260101T000000Z-manual-0000", objects=7, bytes=1, seconds=1.23),
            "cluster      backup 20260101T000000Z-manual-0000: 7 objects in 1.2 s",
        ),
        (BackupFailed(**WHEN, error="it is full"), "cluster      no backup: it is full"),
        (RepairStopped(**WHOSE, why="it is off"), "worker/0     the repair is stopped: it is off"),
        (RepairsHeld(**WHEN, why="all are down"), "cluster      repairs are held: all are down"),
        (RepairsResumed(**WHEN), "cluster      repairs go on"),
        (LookFailed(**WHEN, error="no answer"), "cluster      failed: no answer"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_event_is_one_line_that_says_who_and_why(event: Event, text: str) -> None:
    assert line(event) == text
