"""While a repair runs, the monitor goes on looking: what breaks meanwhile stops it, and all is decided anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk.events import Event, RepairStopped, StepFinished, StepStarted
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.planning.quorum import has_quorum
from kubo_sdk.probe import probe

from .ward import Ward

ZONE_1 = ("worker/0", "proxy/0", "master/0", "etcd/0")
# Waiting for a proxy that is not there takes 180 s for each step that does.
BOUND = 170.0


def once(*, started: str = "", finished: str = "", act: Callable[[], object]) -> Callable[[Event], None]:
    """An observer that acts the first time that step starts or ends."""
    left = [act]

    def observe(event: Event) -> None:
        kind, step = (StepStarted, started) if started else (StepFinished, finished)
        if isinstance(event, kind) and event.step == step and left:
            left.pop()()

    return observe


def took(ward: Ward) -> float:
    began = ward.cloud.clock.time
    assert ward.heal() == ()
    assert ward.has_no_orphans()
    return ward.cloud.clock.time - began


@pytest.mark.parametrize("how", ["kill", "power_off"])
def test_a_zone_that_is_lost_machine_by_machine_is_healed_without_waiting_for_the_dead(
    admit: Callable[..., Ward], how: str
) -> None:
    ward = admit(ingress=ProviderChoice(provider="haproxy"))
    ward.machine("worker/0").kill()
    left = ["proxy/0", "master/0", "etcd/0"]

    def lose_next(event: Event) -> None:
        """As soon as the repair has come so far that it only waits."""
        if isinstance(event, StepStarted) and event.step.startswith("await") and left:
            getattr(ward.machine(left.pop(0)), how)()

    ward.watcher = lose_next
    assert took(ward) < BOUND
    assert not left
    assert {instance for instance, _ in ward.decided} == set(ZONE_1)


@pytest.mark.parametrize("instance", ["worker/0", "master/1", "etcd/2"])
def test_a_machine_that_is_off_right_after_its_creation_is_started_at_once(ward: Ward, instance: str) -> None:
    ward.machine(instance).kill()
    ward.watcher = once(finished=f"create vm {instance}", act=lambda: ward.machine(instance).power_off())
    assert took(ward) < BOUND
    assert ward.decided == [(instance, "recreate"), (instance, "start")]
    assert [event.problem for event in ward.told(RepairStopped)] == [f"stopped_vm:{instance}"]


def test_a_machine_that_is_made_in_vain_again_and_again_is_given_up_after_its_attempts(ward: Ward) -> None:
    ward.machine("worker/0").kill()

    def kill_again(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step == "create vm worker/0":
            ward.machine("worker/0").kill()

    ward.watcher = kill_again
    assert [problem.id for problem in ward.heal()] == ["missing_vm:worker/0"]
    assert ward.decided == [("worker/0", "recreate")] * ward.spec.health.attempts


def test_a_second_member_that_dies_while_the_first_is_replaced_is_healed_and_no_vote_is_lost(ward: Ward) -> None:
    ward.machine("etcd/1").lose_disk()
    ward.watcher = once(finished="create vm etcd/1", act=lambda: ward.machine("etcd/2").kill())
    assert took(ward) < BOUND
    assert ward.decided[0] == ("etcd/1", "recreate_empty")
    assert ("etcd/2", "recreate") in ward.decided
    assert ("etcd/2", "recreate_empty") not in ward.decided
    assert has_quorum(probe(ward.spec, ward.cluster.providers, ward.cloud.clock).members or ())


def test_what_the_repair_itself_takes_away_stops_nothing(ward: Ward) -> None:
    ward.machine("master/0").fail_unit("kube-apiserver", restarts_help=False)
    assert ward.heal() == ()
    assert not ward.told(RepairStopped)
