"""Machines that are cut off from the network but can be entered, and daemons that stand still, are healed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk.events import ProblemSeen
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.planning.problems import ProblemType

from .ward import Ward

SETTLED = 60.0


@pytest.mark.parametrize("instance", ["etcd/1", "master/0", "worker/2"])
def test_a_machine_that_is_cut_off_is_rebooted_and_then_replaced(ward: Ward, instance: str) -> None:
    ward.cloud.clock.advance(SETTLED)
    machine = ward.machine(instance)
    machine.cut_off(console=True)
    assert ward.heal() == ()
    assert ward.decided == [(instance, "reboot"), (instance, "recreate")]
    assert ward.machine(instance) is not machine
    assert ward.has_no_orphans()
    assert {event.problem for event in ward.told(ProblemSeen)} >= {f"cut_off_machine:{instance}"}


@pytest.mark.parametrize("instance", ["etcd/1", "master/0", "worker/2"])
def test_one_that_is_connected_again_in_time_is_left_alone(ward: Ward, instance: str) -> None:
    ward.cloud.clock.advance(SETTLED)
    machine = ward.machine(instance)
    machine.cut_off(console=True)
    assert [problem.type for problem in ward.cluster.check()] == [ProblemType.CUT_OFF_MACHINE]
    machine.reconnect()
    assert ward.heal() == ()
    assert not ward.decided


def test_a_proxy_that_is_cut_off_is_the_only_one_to_blame(admit: Callable[..., Ward]) -> None:
    ward = admit(ingress=ProviderChoice(provider="haproxy"))
    ward.cloud.clock.advance(SETTLED)
    ward.machine("proxy/0").cut_off(console=True)
    assert ward.heal() == ()
    assert ward.decided == [("proxy/0", "reboot"), ("proxy/0", "recreate")]
    assert {event.problem for event in ward.told(ProblemSeen)} == {"cut_off_machine:proxy/0"}


@pytest.mark.parametrize("unit", ["kubelet", "kube-proxy", "containerd"])
def test_a_daemon_that_stands_still_is_restarted_alone(ward: Ward, unit: str) -> None:
    ward.cloud.clock.advance(SETTLED)
    ward.machine("worker/1").hang_unit(unit)
    assert ward.heal() == ()
    assert ward.decided == [("worker/1", "restart_units")]
    assert ward.touched == {"worker/1"}


def test_a_balancer_that_stands_still_is_restarted_when_no_node_is_ready_either(admit: Callable[..., Ward]) -> None:
    """It takes connections all the same, so the machines alone cannot tell."""
    ward = admit(ingress=ProviderChoice(provider="haproxy"))
    ward.machine("proxy/0").hang_unit("kubo-haproxy")
    for index in range(3):
        ward.machine(f"worker/{index}").hang_unit("kubelet")
    ward.cloud.clock.advance(SETTLED)
    assert ward.heal() == ()
    assert set(ward.decided) == {(name, "restart_units") for name in ("proxy/0", "worker/0", "worker/1", "worker/2")}
