"""Whole clusters on the fake cloud, whose machines get a new address each time, grow, shrink and are replaced."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import DeployFailed, NotFound, Unavailable, UnsafePlan
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud

from .fleet import Fleet, fleet


@pytest.fixture
def small(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=1, master=1, worker=1, proxy=1)
    made.cluster.deploy()
    return made


@pytest.fixture
def plain(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    """As users have it by default."""
    made = fleet(tmp_path, cloud, on_machines=True, etcd=3, master=2, worker=2, proxy=1)
    made.cluster.deploy()
    return made


@pytest.fixture
def usual(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=3, master=2, worker=2, proxy=1)
    made.cluster.deploy()
    return made


def test_etcd_goes_from_one_to_three_to_five_and_back(small: Fleet) -> None:
    for size in (3, 5, 3, 1):
        small.resize(etcd=size)
        small.cluster.deploy()
        small.check_whole()
        assert small.peers() == [f"etcd-{place}" for place in range(size)]


def test_workers_masters_and_proxies_come_and_go(small: Fleet) -> None:
    for counts in ({"worker": 3, "master": 2, "proxy": 2}, {"worker": 1, "master": 1, "proxy": 1}):
        small.resize(**counts)
        small.cluster.deploy()
        small.check_whole()


@pytest.mark.parametrize("instance", ["etcd/0", "etcd/2", "master/1", "worker/1", "proxy/0"])
def test_a_recreated_machine_serves_at_its_new_address(usual: Fleet, instance: str) -> None:
    before = usual.machine(instance).vm.address
    usual.cluster.recreate(instance)
    assert usual.machine(instance).vm.address != before
    usual.check_whole()


def test_a_member_without_its_disk_joins_anew(usual: Fleet) -> None:
    cpi = usual.cluster.providers.cpi
    cpi.delete_vm(usual.machine("etcd/1").vm.id)
    for disk in cpi.list_disks(usual.spec.id):  # type: ignore[attr-defined]
        if disk.instance == "etcd/1":
            cpi.delete_disk(disk.id)  # type: ignore[attr-defined]
    usual.cluster.deploy()
    assert "promote member etcd/1" in usual.done()
    usual.check_whole()


def test_one_more_worker_touches_that_worker_alone(usual: Fleet) -> None:
    usual.resize(worker=3)
    touched = {step.instance for step in usual.cluster.plan().steps if step.instance}
    assert touched == {"worker/2"}


def test_names_in_files_change_everywhere_and_restart_nobody(plain: Fleet) -> None:
    plain.resize(worker=3)
    plan = plain.cluster.plan()
    told = {step.instance: step for step in plan.steps if step.verb is Verb.CONFIGURE_INSTANCE}
    assert set(told) == {instance.id for instance in plain.spec.instances()}
    assert not [name for name, step in told.items() if step.effect is Effect.RESTART]
    assert {step.instance for step in plan.steps if step.verb is Verb.AWAIT_INSTANCE} == {"worker/2"}
    plain.cluster.deploy()
    plain.check_whole()


@pytest.mark.parametrize("instance", ["etcd/1", "master/0", "worker/0", "proxy/0"])
def test_everybody_learns_of_the_new_address_of_a_machine(plain: Fleet, instance: str) -> None:
    plain.cluster.recreate(instance, force=True)
    plain.check_whole()


def test_a_machine_that_does_not_answer_is_told_and_replaced(usual: Fleet) -> None:
    usual.machine("worker/1").hang()
    with pytest.raises(Unavailable, match=r"worker/1 of cluster .* does not answer; .* kubo recreate worker/1"):
        usual.cluster.deploy()
    usual.cluster.recreate("worker/1")
    assert "drain worker/1" not in usual.done()
    usual.check_whole()


def test_a_dead_machine_elsewhere_does_not_keep_another_from_being_replaced(usual: Fleet) -> None:
    usual.machine("worker/1").hang()
    usual.cluster.recreate("worker/0")
    usual.cluster.recreate("worker/1")
    usual.check_whole()


def test_a_lost_majority_is_recovered_from_the_survivor(usual: Fleet) -> None:
    cpi = usual.cluster.providers.cpi
    for instance in ("etcd/0", "etcd/2"):
        cpi.delete_vm(usual.machine(instance).vm.id)
    for disk in cpi.list_disks(usual.spec.id):  # type: ignore[attr-defined]
        if disk.instance in ("etcd/0", "etcd/2"):
            cpi.delete_disk(disk.id)  # type: ignore[attr-defined]
    with pytest.raises(UnsafePlan, match="kubo recover etcd/1 --force"):
        usual.cluster.deploy()
    usual.cluster.recover_etcd(force=True)
    usual.check_whole()


@pytest.mark.parametrize("call", range(40, 400, 24))
def test_a_recovery_that_was_cut_off_goes_on(cloud: FakeCloud, usual: Fleet, call: int) -> None:
    cpi = usual.cluster.providers.cpi
    for instance in ("etcd/0", "etcd/2"):
        cpi.delete_vm(usual.machine(instance).vm.id)
    for disk in cpi.list_disks(usual.spec.id):  # type: ignore[attr-defined]
        if disk.instance in ("etcd/0", "etcd/2"):
            cpi.delete_disk(disk.id)  # type: ignore[attr-defined]
    cloud.faults.kill(call=call)
    with contextlib.suppress(DirectorKilled, DeployFailed):
        usual.cluster.recover_etcd(force=True)
    cloud.faults.clear()
    refused = ""
    try:
        usual.cluster.deploy()
    except UnsafePlan as error:
        refused = str(error)
    if refused:
        usual.cluster.recover_etcd("etcd/1", force="half way" not in refused)
    assert ("kubo recover etcd/1" in refused) == bool(refused)
    # What was started just before the cut may still be starting.
    wait_until(lambda: usual.cluster.status().healthy or None, what="health", timeout=60, clock=cloud.clock)
    usual.check_whole()


@pytest.mark.parametrize("instance", ["etcd/1", "master/0", "worker/1", "proxy/0"])
def test_a_stopped_instance_is_left_alone_and_started_again(usual: Fleet, instance: str) -> None:
    usual.cluster.stop(instance)
    assert usual.cluster.plan().is_empty
    usual.cluster.start(instance)
    usual.check_whole()
    usual.cluster.restart(instance)
    usual.check_whole()


def test_what_does_not_exist_and_what_must_stay_is_told(usual: Fleet) -> None:
    with pytest.raises(NotFound, match="has no instance 'worker/9'; there are: etcd/0"):
        usual.cluster.stop("worker/9")
    usual.cluster.stop("etcd/1")
    with pytest.raises(UnsafePlan, match="too few etcd members"):
        usual.cluster.recreate("etcd/0")
    usual.cluster.start("etcd/1")


@pytest.mark.parametrize("call", range(1, 60, 4))
def test_growing_goes_on_wherever_the_director_was_killed(cloud: FakeCloud, small: Fleet, call: int) -> None:
    small.resize(etcd=3, worker=2)
    interrupt(cloud, small, call)
    small.check_whole()


@pytest.mark.parametrize("call", range(1, 60, 4))
def test_shrinking_goes_on_wherever_the_director_was_killed(cloud: FakeCloud, usual: Fleet, call: int) -> None:
    usual.resize(etcd=1, worker=1, master=1)
    interrupt(cloud, usual, call)
    usual.check_whole()


def interrupt(cloud: FakeCloud, fleet: Fleet, call: int) -> None:
    """Deploy, be killed at that call of a port or a shell, and deploy again."""
    cloud.faults.kill(call=call)
    with contextlib.suppress(DirectorKilled, DeployFailed):
        fleet.cluster.deploy()
    cloud.faults.clear()
    fleet.cluster.deploy()
