"""Whole restores on the fakes: into the same cluster and into fresh ones, cut off anywhere, and those refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from kubo_sdk.errors import DeployFailed, KuboError, NotFound, ProviderError, UnsafePlan
from kubo_sdk.events import StepStarted
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.testing.fakes import DirectorKilled, sized

from .conftest import Ward

MakeWard = Callable[..., Ward]


def test_the_same_cluster_gets_back_what_it_had(ward: MakeWard) -> None:
    here = ward(etcd=3, master=2, worker=2)
    here.cluster.deploy()
    here.put("kept", "before")
    backup = here.cluster.backup()
    here.put("kept", "after")
    here.put("new", "after")
    assert here.cluster.restore(str(backup.name), force=True) == str(backup.name)
    assert here.kept() == {"kept": "before"}
    here.check_whole()


def test_a_fresh_cluster_gets_back_what_the_old_one_had(ward: MakeWard) -> None:
    here = ward(etcd=3, master=2, worker=3)
    here.cluster.deploy()
    here.put("kept", "before")
    leaves = ("ca", "etcd-ca", "front-proxy-ca", "service-account", "encryption-key", "etcd-root")
    values = {leaf: here.value(leaf) for leaf in leaves}
    here.cluster.backup()
    here.cluster.delete()
    assert not here.cloud.machines
    here.cluster.restore()
    assert here.kept() == {"kept": "before"}
    assert {leaf: here.value(leaf) for leaf in leaves} == values
    here.check_whole()


def test_the_authorities_of_a_fresh_cluster_can_be_rotated_like_the_old_ones(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.cluster.backup()
    here.cluster.delete()
    here.cluster.restore()
    old = here.value("ca")
    assert here.cluster.rotate("ca", settle_seconds=0) == ()
    assert here.value("ca") != old
    here.check_whole()


def test_a_fresh_cluster_may_be_of_another_size(ward: MakeWard) -> None:
    here = ward(etcd=3, master=1, worker=3)
    here.cluster.deploy()
    here.put("kept", "before")
    here.cluster.backup()
    here.cluster.delete()
    here.change(instance_groups=sized(etcd=1, master=2, worker=1, proxy=0))
    here.cluster.restore()
    assert here.kept() == {"kept": "before"}
    here.check_whole()


def test_a_cluster_that_lost_every_etcd_machine_and_disk_is_restored(ward: MakeWard) -> None:
    here = ward(etcd=3, master=1, worker=1)
    here.cluster.deploy()
    here.put("kept", "before")
    here.cluster.backup()
    for index in range(3):
        here.machine(f"etcd/{index}").lose_disk()
        here.machine(f"etcd/{index}").kill()
    with pytest.raises(KuboError):
        here.cluster.deploy()
    here.cluster.restore(force=True)
    assert here.kept() == {"kept": "before"}
    here.check_whole()


def test_keys_that_were_changed_since_come_back_with_the_data(ward: MakeWard) -> None:
    """What was encrypted with the old key could not be read with the new one."""
    here = ward()
    here.cluster.deploy()
    here.put("kept", "before")
    old = here.value("encryption-key")
    here.cluster.backup()
    name = here.spec.id.credential("encryption-key")
    here.cloud.store.put(name, here.cloud.store.get(name).kind, attrs.evolve(old, text=type(old.text)("x" * 64)))
    here.cluster.deploy()
    here.cluster.restore(force=True)
    assert here.value("encryption-key") == old
    here.check_whole()


@pytest.mark.parametrize(
    ("fresh", "method", "stride"),
    [
        (False, "shell.run", 4),
        (False, "store.put", 2),
        (True, "shell.run", 4),
        (True, "store.put", 2),
        (True, "store.take_over", 3),
    ],
)
def test_a_director_killed_in_a_restore_converges_when_it_is_run_again(
    ward: MakeWard, fresh: bool, method: str, stride: int
) -> None:
    """Before and after a call in turns; every step that changes something goes through one of the two methods."""
    here = ward()
    here.cluster.deploy()
    here.put("kept", "before")
    here.cluster.backup()
    faults, call = here.cloud.faults, 1
    while True:
        if fresh:
            here.cluster.delete()
        else:
            here.put("kept", "after")
        calls = faults.counts[method]
        faults.kill(method=method, call=call, after=call // stride % 2 == 0)
        with suppress(DirectorKilled, KuboError):
            here.cluster.restore(force=not fresh)
        was_killed, made = faults.is_dead, faults.counts[method] - calls
        faults.clear()
        if was_killed:
            if not fresh:
                with suppress(UnsafePlan):
                    here.cluster.deploy()
            here.cluster.restore(force=not fresh)
        assert here.kept() == {"kept": "before"}
        here.check_whole()
        if made < call:
            break
        call += stride
    assert call > 1, "the restore made hardly any call"


def test_while_a_restore_is_half_done_nothing_else_is_planned(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    backup = str(here.cluster.backup().name)
    call = 0
    while not here.is_half_restored:
        call += 1
        here.cloud.faults.kill(method="shell.run", call=call)
        with suppress(DirectorKilled, KuboError):
            here.cluster.restore(force=True)
        assert here.cloud.faults.is_dead
        here.cloud.faults.clear()
    for refused in (here.cluster.deploy, here.cluster.plan, here.cluster.backup, lambda: here.cluster.stop("worker/0")):
        with pytest.raises(UnsafePlan, match=rf"half done; finish it: kubo restore {backup}"):
            refused()
    events = len(here.events)
    here.cluster.monitor(once=True)
    assert not [event for event in here.events[events:] if isinstance(event, StepStarted)]
    here.cluster.restore(backup)
    here.check_whole()


def test_data_is_replaced_only_by_force(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.put("kept", "before")
    backup = here.cluster.backup()
    here.put("kept", "after")
    with pytest.raises(UnsafePlan, match=r"what was stored since .* would be lost; if that is what you want: --force"):
        here.cluster.restore(str(backup.name))
    assert here.kept() == {"kept": "after"}
    here.check_whole()


def test_without_room_on_a_machine_nothing_is_stopped_and_nothing_stays_behind(ward: MakeWard) -> None:
    here = ward(etcd=3)
    here.cluster.deploy()
    here.cluster.backup()
    here.put("kept", "after")
    here.machine("etcd/1").place_of("/var/lib/kubo/disk/etcd")["free"] = 1000
    with pytest.raises(DeployFailed, match=r"there is no room for the snapshot on etcd/1: .*; give it a larger disk"):
        here.cluster.restore(force=True)
    assert here.kept() == {"kept": "after"}
    for index in range(3):
        kept = here.machine(f"etcd/{index}").place_of("/var/lib/kubo/disk/etcd")
        assert not [name for name in kept if name.startswith("etcd.restore-")]
    here.check_whole()


def test_the_backup_of_another_cluster_is_refused(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.cluster.backup()
    theirs = here.home / "backups" / "kubo" / "fakes"
    here.change(name="other")
    theirs.rename(theirs.with_name("other"))
    with pytest.raises(UnsafePlan, match=r"is of cluster kubo/fakes, and this is kubo/other; .*"):
        here.cluster.restore()


def test_the_backup_of_a_newer_kubernetes_is_refused(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    here.cluster.backup()
    version = KubernetesVersion.parse("1.29.1")
    here.change(kubernetes=attrs.evolve(here.spec.kubernetes, version=version))
    with pytest.raises(UnsafePlan, match=r"was written by Kubernetes 1\.30\.2, which 1\.29\.1 cannot read; .*"):
        here.cluster.restore(force=True)


def newest(here: Ward) -> Path:
    return max((here.home / "backups" / "kubo" / "fakes").glob("*.kubo"))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda whole: whole[:-1], "cut short or was altered"),
        (lambda whole: whole[:100], "no backup of kubo, or is cut short|altered|cut short"),
        (lambda whole: whole[: len(whole) // 2], "cut short or was altered"),
        (lambda whole: whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:], "was altered"),
        (lambda whole: b"kubo-backup 9" + whole[13:], "made by a newer kubo-sdk"),
        (lambda whole: b"something else entirely\n" * 100, "no backup of kubo"),
    ],
)
def test_a_damaged_backup_is_refused_and_changes_nothing(
    ward: MakeWard, damage: Callable[[bytes], bytes], sentence: str
) -> None:
    here = ward()
    here.cluster.deploy()
    here.put("kept", "now")
    here.cluster.backup()
    newest(here).write_bytes(damage(newest(here).read_bytes()))
    with pytest.raises(ProviderError) as refused:
        here.cluster.restore(force=True)
    assert re.search(sentence, str(refused.value))
    assert here.kept() == {"kept": "now"}
    here.check_whole()


def test_an_unknown_backup_is_told_with_the_newest_there_is(ward: MakeWard) -> None:
    here = ward()
    here.cluster.deploy()
    with pytest.raises(NotFound, match=r"there is none yet, take one: kubo backup"):
        here.cluster.restore()
    backup = here.cluster.backup()
    with pytest.raises(NotFound, match=rf"has no backup nonsense .*; the newest is {backup.name}"):
        here.cluster.restore("nonsense")
