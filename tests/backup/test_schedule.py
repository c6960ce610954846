"""What the monitor takes by itself, what it forgets, and how failures are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from kubo_sdk.backup.names import Why
from kubo_sdk.backup.schedule import BackupSchedule, scheduled
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError, QuotaExceeded
from kubo_sdk.events import BackupFailed, BackupTaken
from kubo_sdk.model.backup_spec import BackupSpec, KeepSpec

from .conftest import Ward

MakeWard = Callable[..., Ward]


def told(here: Ward, kind: type) -> list[BackupTaken]:
    return [event for event in here.events if isinstance(event, kind)]


def await_events(here: Ward, kind: type, count: int) -> None:
    wait_until(
        lambda: len(told(here, kind)) >= count or None, what=f"{count} {kind.__name__}", timeout=60, clock=SystemClock()
    )


def test_one_is_taken_whenever_it_is_due_and_old_ones_go(ward: MakeWard) -> None:
    here = ward()
    here.change(backup=attrs.evolve(here.spec.backup, keep=KeepSpec(latest=2, hourly=0, daily=0)))
    here.cluster.deploy()
    manual = here.cluster.backup()
    backups = here.cluster._backups
    with BackupSchedule(backups, look=0.01):
        for count in range(1, 5):
            here.cloud.clock.lapse(16 * 60)
            await_events(here, BackupTaken, count + 1)
    names = [each.name for each in here.cluster.backups()]
    assert [name.why for name in names] == [Why.MANUAL, Why.SCHEDULED, Why.SCHEDULED]
    assert names[0] == manual.name
    assert [len(event.removed) for event in told(here, BackupTaken)] == [0, 0, 0, 1, 1]
    assert all(event.objects > 0 or event.bytes > 1000 for event in told(here, BackupTaken))


def test_nothing_is_taken_before_it_is_due(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.cluster.backup()
    backups = here.cluster._backups
    with BackupSchedule(backups, look=0.01):
        here.cloud.clock.lapse(14 * 60)
        here.cluster.backup()
    assert len(here.cluster.backups()) == 2


def test_a_failure_is_told_and_tried_again(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.machine("etcd/0").stop_unit("etcd")
    with BackupSchedule(here.cluster._backups, look=0.01, failed=0.01):
        await_events(here, BackupFailed, 2)
        here.machine("etcd/0").restart("etcd")
        here.cloud.clock.lapse(5)
        await_events(here, BackupTaken, 1)


def test_a_spec_without_a_schedule_has_none(ward: MakeWard) -> None:
    here = ward()
    here.change(backup=attrs.evolve(here.spec.backup, every_minutes=0))
    assert not isinstance(scheduled(here.cluster._backups), BackupSchedule)
    assert not isinstance(scheduled(None), BackupSchedule)


def test_the_monitor_takes_them(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    cluster = here.cluster

    def stop(event: object) -> None:
        if isinstance(event, BackupTaken):
            cluster._cancel.cancel("seen enough")

    cluster._observers = (*cluster._observers, stop)
    cluster.monitor()
    assert [each.name.why for each in here.cluster.backups()] == [Why.SCHEDULED]


def test_a_backup_is_taken_while_the_api_is_away_and_somebody_else_has_the_lease(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.put("kept", "before")
    here.machine("master/0").stop_unit("kube-apiserver")
    with here.cluster._operation("deploy").leased():
        here.cluster.backup()
    here.machine("master/0").restart("kube-apiserver")
    here.cloud.clock.lapse(5)
    here.put("kept", "after")
    here.cluster.restore(force=True)
    assert here.kept() == {"kept": "before"}


def test_a_cluster_without_etcd_is_told(ward: MakeWard) -> None:
    here = ward()
    with pytest.raises(KuboError, match=r"deploy the cluster"):
        here.cluster.backup()
    assert here.cluster.backups() == ()


def test_a_place_without_room_is_told_and_changes_nothing(ward: MakeWard) -> None:
    here = ward()
    here.change(backup=BackupSpec(to="/dev/full/here", key_file=Path("backup.key")))
    here.cluster.deploy()
    with pytest.raises(KuboError, match=r"/dev/full/here/.* cannot be used for backups: Not a directory") as refused:
        here.cluster.backup()
    assert not isinstance(refused.value, QuotaExceeded)
    here.check_whole()
