"""The monitor heals whatever is broken on a fake cloud, by what is gentlest, and touches nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from ipaddress import IPv4Network

import attrs
import pytest

from kubo_sdk.engine.lease import file_lease
from kubo_sdk.events import (
    Event,
    LookFailed,
    ProblemGone,
    ProblemSeen,
    RepairDecided,
    RepairsHeld,
    RepairsResumed,
)
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import HealthSpec, MeltdownSpec, NetworkSpec
from kubo_sdk.testing.fakes import sized

from .ward import Ward

EVERY_ROLE = ("etcd/1", "master/0", "worker/2", "proxy/0")


def heals(ward: Ward, *decided: tuple[str, str]) -> None:
    """Have *ward* healed by exactly what is *decided*."""
    assert ward.heal() == ()
    assert ward.decided == list(decided)
    assert ward.has_no_orphans()
    assert not ward.told(LookFailed)
    assert {event.problem for event in ward.told(ProblemSeen)} == {event.problem for event in ward.told(ProblemGone)}


def test_a_healthy_cluster_is_left_alone(ward: Ward) -> None:
    heals(ward)
    assert not ward.events


@pytest.mark.parametrize("instance", EVERY_ROLE)
def test_a_machine_that_is_gone_comes_back(ward: Ward, instance: str) -> None:
    ward.machine(instance).kill()
    heals(ward, (instance, "recreate"))


@pytest.mark.parametrize("instance", EVERY_ROLE)
def test_a_machine_that_hangs_is_rebooted(ward: Ward, instance: str) -> None:
    machine = ward.machine(instance)
    machine.hang()
    heals(ward, (instance, "reboot"))
    assert ward.machine(instance) is machine


@pytest.mark.parametrize("instance", EVERY_ROLE)
def test_a_machine_that_a_reboot_does_not_bring_back_is_replaced(ward: Ward, instance: str) -> None:
    machine = ward.machine(instance)
    machine.cut_off()
    assert ward.heal() == ()
    assert ward.decided == [(instance, "reboot"), (instance, "recreate")]
    assert ward.machine(instance) is not machine
    assert ward.has_no_orphans()


@pytest.mark.parametrize("instance", EVERY_ROLE)
def test_a_machine_that_was_switched_off_is_started(ward: Ward, instance: str) -> None:
    machine = ward.machine(instance)
    machine.power_off()
    heals(ward, (instance, "start"))
    assert ward.machine(instance) is machine


@pytest.mark.parametrize(
    ("instance", "units"),
    [
        ("worker/0", ("kubelet", "containerd")),
        ("worker/1", ("kube-proxy",)),
        ("master/1", ("kube-apiserver",)),
        ("master/0", ("kube-scheduler", "kube-controller-manager")),
        ("etcd/0", ("etcd",)),
    ],
)
def test_dead_units_are_restarted(ward: Ward, instance: str, units: tuple[str, ...]) -> None:
    for unit in units:
        ward.machine(instance).stop_unit(unit)
    heals(ward, (instance, "restart_units"))
    assert ward.touched == {instance}


def test_an_api_server_that_stands_still_is_restarted(ward: Ward) -> None:
    ward.machine("master/0").hang_unit("kube-apiserver")
    heals(ward, ("master/0", "restart_units"))


@pytest.mark.parametrize("instance", ["worker/0", "master/1", "etcd/2"])
def test_a_unit_that_no_restart_brings_back_costs_the_machine(ward: Ward, instance: str) -> None:
    unit = {"worker": "kubelet", "master": "kube-apiserver", "etcd": "etcd"}[instance.partition("/")[0]]
    ward.machine(instance).fail_unit(unit, restarts_help=False)
    assert ward.heal() == ()
    assert ward.decided == [(instance, "restart_units"), (instance, "reboot"), (instance, "recreate")]
    assert ward.has_no_orphans()


def test_a_kubelet_and_a_containerd_that_die_beside_the_etcd_leader_are_healed_all_the_same(ward: Ward) -> None:
    leader = ward.etcd_leader()
    ward.machine(leader).stop_unit("etcd")
    ward.machine("worker/0").stop_unit("kubelet")
    ward.machine("worker/0").stop_unit("containerd")
    heals(ward, (leader, "restart_units"), ("worker/0", "restart_units"))


def test_an_etcd_member_whose_disk_is_gone_comes_back_empty_and_follows_the_others(ward: Ward) -> None:
    disk = ward.cloud.disks["etcd/1"].id
    ward.machine("etcd/1").lose_disk()
    heals(ward, ("etcd/1", "recreate_empty"))
    assert ward.cloud.disks["etcd/1"].id != disk
    assert "promote member etcd/1" in ward.steps


def test_a_lost_machine_keeps_its_disk(ward: Ward) -> None:
    disk = ward.cloud.disks["etcd/1"].id
    ward.machine("etcd/1").kill()
    heals(ward, ("etcd/1", "recreate"))
    assert ward.cloud.disks["etcd/1"].id == disk
    assert "join member etcd/1" not in ward.steps


@pytest.mark.parametrize("zone", ["z1", "z2", "z3"])
def test_a_whole_az_is_healed_in_one_round(ward: Ward, zone: str) -> None:
    lost = {instance.id for instance in ward.spec.instances() if instance.az == zone}
    for instance in lost:
        ward.machine(instance).kill()
    assert ward.heal() == ()
    assert {instance for instance, _ in ward.decided} == lost
    assert not ward.told(RepairsHeld)
    assert ward.has_no_orphans()


def test_machines_that_were_all_switched_off_come_back(ward: Ward) -> None:
    ward.cloud.lose_az("z1")
    for zone in ("z2", "z3"):
        ward.cloud.lose_az(zone)
    for zone in ("z1", "z2", "z3"):
        ward.cloud.restore_az(zone)
    assert ward.heal() == ()
    assert {resolution for _, resolution in ward.decided} == {"start"}
    assert not ward.told(RepairsHeld)


def test_several_things_at_once_are_healed_in_one_round(ward: Ward) -> None:
    ward.machine("worker/0").kill()
    ward.machine("worker/1").stop_unit("kubelet")
    ward.machine("proxy/0").power_off()
    heals(ward, ("worker/0", "recreate"), ("worker/1", "restart_units"), ("proxy/0", "start"))


def test_a_node_that_somebody_deleted_comes_back(ward: Ward) -> None:
    ward.delete_node("worker/0")
    heals(ward, ("worker/0", "restart_units"))


def test_a_meltdown_is_told_once_and_harms_nothing_until_it_is_over(admit: Callable[..., Ward]) -> None:
    ward = admit(instance_groups=sized(worker=10))
    down = [ward.machine(f"worker/{index}") for index in range(6)]
    for machine in down:
        machine.cut_off()
    left = ward.heal()
    assert len(left) == 6
    assert not ward.steps
    (held,) = ward.told(RepairsHeld)
    assert held.why.startswith("6 of 16 machines are down at once")
    for machine in down[:4]:
        machine.reconnect()
    assert ward.heal() == ()
    assert {instance for instance, _ in ward.decided} == {"worker/4", "worker/5"}


def test_a_lost_quorum_is_named_and_nobody_is_made_empty(ward: Ward) -> None:
    ward.machine("etcd/0").lose_disk()
    ward.machine("etcd/1").lose_disk()
    data = ward.cloud.disks["etcd/2"].content
    left = {problem.id for problem in ward.heal()}
    assert "quorum_lost:etcd" in left
    assert not any("recreate_empty" in resolution for _, resolution in ward.decided)
    assert not any(step.startswith(("delete disk", "remove member")) for step in ward.steps)
    assert ward.cloud.disks["etcd/2"].content is data


def test_what_is_stopped_paused_or_switched_off_in_the_spec_stays_as_it_is(admit: Callable[..., Ward]) -> None:
    ward = admit()
    ward.cluster.pause("worker/0")
    ward.machine("worker/0").kill()
    ward.machine("worker/1").kill()
    assert [problem.id for problem in ward.heal()] == ["missing_vm:worker/0"]
    assert ward.touched == {"worker/1"}
    ward.cluster.pause()
    ward.machine("worker/2").kill()
    assert len(ward.heal()) == 2
    assert not ward.steps
    ward.cluster.resume()
    ward.cluster.resume("worker/0")
    assert ward.heal() == ()
    ward.spec = attrs.evolve(ward.spec, health=HealthSpec(enabled=False))
    ward.machine("worker/2").kill()
    assert len(ward.heal()) == 1
    assert not ward.steps


def test_of_a_thousand_machines_three_percent_heal_by_steps_in_proportion(admit: Callable[..., Ward]) -> None:
    ward = admit(
        instance_groups=sized(worker=994, azs=("z1", "z2", "z3")),
        network=NetworkSpec(pods=IPv4Network("10.128.0.0/12")),
    )
    down = {f"worker/{index}" for index in range(0, 990, 33)}
    for instance in down:
        ward.machine(instance).kill()
    began = ward.cloud.clock.time
    assert ward.heal() == ()
    assert ward.touched == down
    assert len(ward.steps) <= 5 * len(down) + 6
    assert ward.cloud.clock.time - began < 60
    assert ward.has_no_orphans()


def test_the_brake_goes_by_what_the_spec_says(admit: Callable[..., Ward]) -> None:
    ward = admit(
        instance_groups=sized(worker=94),
        health=HealthSpec(meltdown=MeltdownSpec(share=3)),
    )
    for index in range(5):
        ward.machine(f"worker/{index}").kill()
    assert len(ward.heal()) == 5
    assert ward.told(RepairsHeld)


def test_a_master_and_its_peers_all_dead_come_back_together(ward: Ward) -> None:
    for instance in ward.spec.instances(Role.MASTER):
        ward.machine(instance.id).kill()
    heals(ward, ("master/0", "recreate"), ("master/1", "recreate"))


def test_a_living_director_is_waited_for_and_what_it_left_is_healed_after_it(ward: Ward) -> None:
    place = ward.home / "state" / "clusters" / ward.spec.director / ward.spec.name / "lease"
    ward.machine("worker/0").kill()
    looked = threading.Event()

    def held(event: Event) -> None:
        if isinstance(event, RepairsHeld):
            looked.set()

    ward.watcher = held
    with file_lease(place, ward.spec.id, "deploy", ward.cloud.clock):
        monitor = threading.Thread(target=ward.cluster.monitor, kwargs={"once": True}, name="monitor")
        monitor.start()
        assert looked.wait(30)
        assert "worker/0" not in ward.cloud.machines
    monitor.join(60)
    assert ward.cluster.check() == ()
    (told,) = ward.told(RepairsHeld)
    assert "is being worked on by process" in told.why
    assert len(ward.told(RepairsResumed)) == 1
    assert [event.attempt for event in ward.told(RepairDecided)] == [1]


def test_a_cluster_that_was_never_made_is_told_and_left_to_a_deploy(admit: Callable[..., Ward]) -> None:
    ward = admit()
    ward.cluster.delete()
    ward.heal()
    assert ward.told(RepairsHeld) or ward.told(LookFailed)
    assert not ward.steps
    assert not ward.cloud.machines
