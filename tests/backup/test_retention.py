"""Which backups are kept, and when one is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kubo_sdk.backup.names import BackupName, Why
from kubo_sdk.backup.retention import expired, is_due
from kubo_sdk.model.backup_spec import KeepSpec

START = datetime(2026, 1, 1, tzinfo=UTC)


def named(minutes: int, why: Why = Why.SCHEDULED) -> BackupName:
    return BackupName(taken_at=START + timedelta(minutes=minutes), why=why, mark=f"{minutes % 65536:04x}")


NAMES = st.lists(st.builds(named, st.integers(0, 200_000), st.sampled_from(Why)), max_size=60, unique=True)
KEEPS = st.builds(KeepSpec, latest=st.integers(0, 8), hourly=st.integers(0, 8), daily=st.integers(0, 8))


@given(NAMES, KEEPS)
def test_only_scheduled_ones_go_and_the_newest_stays(names: list[BackupName], keep: KeepSpec) -> None:
    gone = expired(names, keep)
    scheduled = sorted(name for name in names if name.why is Why.SCHEDULED)
    assert set(gone) <= set(scheduled[:-1])
    assert list(gone) == sorted(gone)


@given(NAMES, KEEPS)
def test_what_is_kept_once_is_found_kept_again(names: list[BackupName], keep: KeepSpec) -> None:
    left = set(names) - set(expired(names, keep))
    assert expired(left, keep) == ()


@given(NAMES, KEEPS)
def test_no_more_are_kept_than_asked_for_and_as_many_as_there_are(names: list[BackupName], keep: KeepSpec) -> None:
    scheduled = sorted((name for name in names if name.why is Why.SCHEDULED), reverse=True)
    left = set(scheduled) - set(expired(names, keep))
    assert len(left) <= max(keep.latest, 1) + keep.hourly + keep.daily
    assert set(scheduled[: keep.latest]) <= left
    hours = {name.taken_at.replace(minute=0) for name in scheduled}
    days = {name.taken_at.date() for name in scheduled}
    assert len({name.taken_at.replace(minute=0) for name in left}) >= min(keep.hourly, len(hours))
    assert len({name.taken_at.date() for name in left}) >= min(keep.daily, len(days))


@given(NAMES, KEEPS, st.integers(1, 10))
def test_more_to_keep_never_removes_more(names: list[BackupName], keep: KeepSpec, more: int) -> None:
    wider = KeepSpec(latest=keep.latest + more, hourly=keep.hourly + more, daily=keep.daily + more)
    assert set(expired(names, wider)) <= set(expired(names, keep))


def test_at_every_quarter_of_an_hour_hours_and_days_add_up() -> None:
    keep, there = KeepSpec(latest=8, hourly=30, daily=5), set[BackupName]()
    for minutes in range(0, 8 * 24 * 60, 15):
        there.add(named(minutes))
        there -= set(expired(there, keep))
    # The latest are of two hours, and the newest of today and yesterday stand for both an hour and a day.
    assert len(there) == 8 + (30 - 2) + (5 - 2)


def test_one_is_due_when_the_newest_is_old_enough() -> None:
    now = START + timedelta(minutes=20)
    assert is_due([], 15, now)
    assert is_due([named(0), named(5)], 15, now)
    assert not is_due([named(0), named(6)], 15, now)
    assert not is_due([named(10, Why.MANUAL)], 15, now)
    assert is_due([named(5), named(60)], 15, now), "one from the future must not hold up the schedule"


def test_names_are_read_back_and_others_are_nobody() -> None:
    name = named(77)
    assert BackupName.parse(str(name)) == name
    others = ("", "20260101T000000Z", f"{name}x", "20261301T000000Z-manual-0000", "20260101T000000Z-other-0000")
    assert [BackupName.parse(text) for text in others] == [None] * 5
