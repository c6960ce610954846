"""What is decided: when, which rung, how often, how much at once, and why not."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import HealthSpec, MeltdownSpec
from kubo_sdk.planning.decision import Standing
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.quorum import has_quorum
from kubo_sdk.planning.resolutions import Resolution

from .reports import (
    SPEC,
    Director,
    acts,
    choice_for,
    dead_unit,
    healthy,
    missing,
    off,
    saying,
    silent,
    spec_of,
    standings,
)

WELL = healthy()
POLICY = SPEC.health


def test_one_missed_probe_does_nothing() -> None:
    director = Director()
    first = director.look(silent(WELL, "worker/0"))
    assert not first.acts
    assert choice_for(first, "worker/0").standing is Standing.WAIT
    assert not director.look(WELL).choices
    assert not director.look(silent(WELL, "worker/0"), after=60).acts


def test_a_machine_that_does_not_answer_may_be_slow_and_gets_more_time() -> None:
    director, report = Director(), silent(WELL, "worker/0")
    director.look(report)
    assert not director.look(report, POLICY.unhealthy_after_seconds).acts
    assert not director.look(report, POLICY.silent_after_seconds - POLICY.unhealthy_after_seconds - 1).acts
    assert acts(director.look(report, 1)) == {"worker/0": Resolution.REBOOT}


def test_a_silent_machine_of_which_others_hear_gets_the_time_of_a_start() -> None:
    director, report = Director(), saying(silent(WELL, "worker/0"), "worker/0", Source.NODE, Verdict.GOOD)
    assert not director.settle(report).acts
    assert acts(director.look(report, POLICY.startup_seconds)) == {"worker/0": Resolution.REBOOT}


@pytest.mark.parametrize(
    ("report", "resolution"),
    [
        (missing(WELL, "worker/0"), Resolution.RECREATE),
        (off(WELL, "worker/0"), Resolution.START),
        (dead_unit(WELL, "worker/0", "kubelet.service"), Resolution.RESTART_UNITS),
        (saying(WELL, "worker/0", Source.NODE, Verdict.BAD), Resolution.RESTART_UNITS),
        (saying(WELL, "worker/0", Source.UNITS, Verdict.BAD, "not configured"), Resolution.CONFIGURE),
    ],
    ids=["missing", "off", "dead unit", "not ready", "empty"],
)
def test_what_lasts_is_repaired_gently_first(report: HealthReport, resolution: Resolution) -> None:
    director = Director()
    assert not director.look(report).acts
    decision = director.look(report, POLICY.unhealthy_after_seconds)
    assert acts(decision) == {"worker/0": resolution}
    (choice,) = decision.acts
    assert (choice.attempt, choice.attempts) == (1, POLICY.attempts)


def test_the_rungs_are_climbed_one_by_one_each_after_its_time() -> None:
    director, report = Director(), dead_unit(WELL, "worker/0", "kubelet.service")
    decision, climbed = director.settle(report), []
    for _ in range(3):
        climbed.append(acts(decision)["worker/0"])
        director.act(decision)
        early = director.look(report, 1.0)
        assert standings(early) == {Standing.WAIT}
        until = choice_for(early, "worker/0").until
        assert until is not None
        assert until > director.now
        decision = director.look(report, (until - director.now).total_seconds())
    assert climbed == [Resolution.RESTART_UNITS, Resolution.REBOOT, Resolution.RECREATE]
    assert choice_for(decision, "worker/0").why.endswith("; restart_units, reboot, recreate did not help")


def test_what_never_helps_is_tried_so_often_and_again_when_the_window_has_passed() -> None:
    director, report = Director(policy=HealthSpec(attempts=2, startup_seconds=10)), missing(WELL, "worker/0")
    for _ in range(2):
        decision = director.look(report, 100)
        if not decision.acts:
            decision = director.look(report, 100)
        director.act(decision, failed=True)
    spent = director.look(report, 20)
    choice = choice_for(spent, "worker/0")
    assert choice.standing is Standing.REFUSED
    assert "was tried within 600 s" in choice.why
    assert choice.until is not None
    assert acts(director.look(report, (choice.until - director.now).total_seconds() + 1)) == {
        "worker/0": Resolution.RECREATE
    }


def test_what_fails_again_after_it_was_well_starts_at_the_lowest_rung_without_delay() -> None:
    director, report = Director(), dead_unit(WELL, "worker/0", "kubelet.service")
    director.act(director.settle(report))
    director.look(WELL)
    decision = director.settle(report)
    assert acts(decision) == {"worker/0": Resolution.RESTART_UNITS}
    assert decision.acts[0].attempt == 2


def test_being_on_its_way_is_not_being_well() -> None:
    director, report = Director(), dead_unit(WELL, "worker/0", "kubelet.service")
    director.act(director.settle(report))
    director.look(saying(WELL, "worker/0", Source.UNITS, Verdict.UNKNOWN, "starting"))
    director.look(report)
    decision = director.look(report, POLICY.startup_seconds)
    assert acts(decision) == {"worker/0": Resolution.REBOOT}


def test_machines_that_were_all_switched_off_are_all_started_at_once() -> None:
    everybody = [instance.id for instance in SPEC.instances()]
    report = attrs.evolve(off(WELL, *everybody), members=None, api_ready=False, nodes=None)
    decision = Director().settle(report)
    assert acts(decision) == dict.fromkeys(everybody, Resolution.START)
    assert not decision.held


@pytest.mark.parametrize("azs", [2, 3])
def test_a_lost_az_of_nine_machines_heals_in_one_round(azs: int) -> None:
    spec = spec_of(azs=azs)
    lost = [instance.id for instance in spec.instances() if instance.az == "z2"]
    decision = Director(spec).settle(missing(healthy(spec), *lost))
    assert set(acts(decision)) == set(lost)
    assert not decision.held


def test_a_meltdown_holds_what_takes_machines_away_and_nothing_else() -> None:
    spec = spec_of(etcd=3, master=2, worker=12)
    report = missing(healthy(spec), *(f"worker/{index}" for index in range(5)))
    report = dead_unit(off(report, "worker/5"), "worker/6", "kubelet.service")
    decision = Director(spec).settle(report)
    assert decision.held
    assert acts(decision) == {"worker/5": Resolution.START, "worker/6": Resolution.RESTART_UNITS}
    assert choice_for(decision, "worker/0").standing is Standing.HELD
    assert choice_for(decision, "worker/0").why == decision.held
    assert not decision.repair.condemned


def test_a_meltdown_is_over_when_few_enough_are_left() -> None:
    spec = spec_of(worker=12)
    director = Director(spec)
    assert director.settle(missing(healthy(spec), *(f"worker/{index}" for index in range(5)))).held
    calmer = director.look(missing(healthy(spec), *(f"worker/{index}" for index in range(3))))
    assert not calmer.held
    assert len(calmer.acts) == 3


def test_three_percent_of_a_thousand_machines_heal_at_once_and_only_they_are_touched() -> None:
    spec = spec_of(worker=994)
    down = {f"worker/{index}" for index in range(0, 990, 33)}
    decision = Director(spec).settle(missing(healthy(spec), *sorted(down)))
    assert set(acts(decision)) == down
    assert len(down) == 30


def test_a_dead_etcd_member_is_restarted_rebooted_replaced_and_only_then_made_empty() -> None:
    director, report = Director(), dead_unit(WELL, "etcd/0", "etcd.service")
    decision, climbed = director.settle(report), []
    for _ in range(4):
        climbed.append(acts(decision)["etcd/0"])
        director.act(decision)
        decision = director.look(report, POLICY.startup_seconds)
    assert climbed == [
        Resolution.RESTART_UNITS,
        Resolution.REBOOT,
        Resolution.RECREATE,
        Resolution.RECREATE_EMPTY,
    ]


def test_a_replacement_that_failed_is_no_reason_to_give_data_up() -> None:
    director, report = Director(policy=HealthSpec(attempts=3)), dead_unit(WELL, "etcd/0", "etcd.service")
    decision, tried = director.settle(report), []
    for _ in range(12):
        tried += acts(decision).values()
        director.act(decision, failed=True)
        decision = director.look(report, POLICY.startup_seconds)
    assert Resolution.RECREATE in tried
    assert Resolution.RECREATE_EMPTY not in tried


def test_an_etcd_member_whose_disk_is_gone_comes_back_empty_only_while_the_others_have_a_majority() -> None:
    gone = attrs.evolve(missing(WELL, "etcd/0").health("etcd/0"), disk=None)
    report = missing(WELL, "etcd/0")
    report = attrs.evolve(report, instances=(gone, *report.instances[1:]))
    assert acts(Director().settle(report)) == {"etcd/0": Resolution.RECREATE_EMPTY}
    worse = attrs.evolve(missing(report, "etcd/1"), members=None, api_ready=False, nodes=None)
    decision = Director().settle(worse)
    assert acts(decision) == {"etcd/1": Resolution.RECREATE}
    assert choice_for(decision, "etcd/0").standing is Standing.WAIT


def test_with_a_lost_quorum_members_come_back_with_their_disks_and_workers_wait_for_them() -> None:
    report = silent(WELL, "etcd/0", "etcd/1")
    report = missing(report, "worker/0")
    report = attrs.evolve(report, members=None, api_ready=False, nodes=None)
    decision = Director().settle(report)
    assert acts(decision) == {
        "etcd/0": Resolution.REBOOT,
        "etcd/1": Resolution.REBOOT,
        "worker/0": Resolution.RECREATE,
    }
    paused = attrs.evolve(report, paused=("etcd/0", "etcd/1"))
    waiting = choice_for(Director().settle(paused), "worker/0")
    assert (waiting.standing, waiting.why) == (Standing.WAIT, "it waits for etcd, which has lost its quorum")


def climb(report: HealthReport, instance: str, spec: object = SPEC) -> Director:
    """A director whose restart of units did not help *instance*."""
    director = Director(spec) if spec is not SPEC else Director()  # type: ignore[arg-type]
    director.act(director.settle(report))
    director.look(report)
    return director


def test_a_master_that_still_serves_is_rebooted_only_beside_another_one_that_does() -> None:
    scheduler = saying(WELL, "master/0", Source.UNITS, Verdict.BAD, "failed", "kube-scheduler.service")
    assert acts(climb(scheduler, "master/0").look(scheduler, 60)) == {"master/0": Resolution.REBOOT}
    alone = missing(scheduler, "master/1")
    director = climb(scheduler, "master/0")
    director.look(alone)
    decision = director.look(alone, 60)
    assert acts(decision) == {"master/1": Resolution.RECREATE}
    assert choice_for(decision, "master/0").why == "it is the last master that serves"


def test_masters_that_serve_are_taken_one_at_a_time_and_dead_ones_together() -> None:
    spec = spec_of(master=3)
    report = healthy(spec)
    for index in range(3):
        report = saying(report, f"master/{index}", Source.UNITS, Verdict.BAD, "failed", "kube-scheduler.service")
    decision = climb(report, "master/0", spec).look(report, 60)
    assert acts(decision) == {"master/0": Resolution.REBOOT}
    assert choice_for(decision, "master/1").why == "it still serves, and waits for master/0"
    dead = missing(healthy(spec), "master/0", "master/1", "master/2")
    assert len(Director(spec).settle(dead).acts) == 3


def test_workers_that_serve_are_taken_up_to_a_share_of_their_group_and_from_one_az() -> None:
    spec = spec_of(worker=20, azs=2)
    report = healthy(spec)
    for index in range(20):
        report = saying(report, f"worker/{index}", Source.UNITS, Verdict.BAD, "failed", "kube-proxy.service")
    director = climb(report, "worker/0", spec)
    director.policy = attrs.evolve(director.policy, meltdown=MeltdownSpec(count=1000))
    assert list(acts(director.look(report, 60))) == ["worker/0", "worker/2", "worker/4", "worker/6"]


def test_an_etcd_member_that_serves_is_not_taken_while_another_one_is_down() -> None:
    report = missing(silent(WELL, "etcd/0"), "etcd/1")
    serving = saying(report, "etcd/0", Source.ETCD, Verdict.GOOD)
    members = tuple(attrs.evolve(each, healthy=each.name != "etcd-1") for each in serving.members or ())
    director, report = Director(), attrs.evolve(serving, members=members)
    director.settle(report)
    decision = director.look(report, POLICY.startup_seconds)
    assert acts(decision) == {"etcd/1": Resolution.RECREATE}
    assert "would lose its quorum" in choice_for(decision, "etcd/0").why


def test_leftovers_are_cleared_away_in_the_same_round() -> None:
    stale = attrs.evolve((WELL.nodes or ())[0], name="old", provider_id="fake://gone")
    decision = Director().settle(attrs.evolve(WELL, nodes=(*(WELL.nodes or ()), stale)))
    assert [problem.details[0] for problem in decision.acts_by(Resolution.DELETE_NODE)] == ["old"]


@pytest.mark.parametrize(
    ("paused", "policy", "why"),
    [
        ({"cluster_paused": True}, POLICY, "the cluster is paused; end it with kubo resume"),
        ({"paused": ("worker/0",)}, POLICY, "worker/0 is paused; end it with kubo resume worker/0"),
        ({}, attrs.evolve(POLICY, enabled=False), "health.enabled is false, so nothing is repaired"),
    ],
    ids=["cluster", "instance", "spec"],
)
def test_what_is_paused_is_told_and_left_alone(paused: dict[str, object], policy: HealthSpec, why: str) -> None:
    decision = Director(policy=policy).settle(attrs.evolve(missing(WELL, "worker/0"), **paused))
    assert not decision.acts
    assert choice_for(decision, "worker/0").why == why
    assert "worker/0" in decision.repair.leave


def test_what_is_not_repaired_is_left_by_the_plan_of_what_is() -> None:
    report = attrs.evolve(missing(WELL, "worker/0", "worker/1"), paused=("worker/1",), stopped=("proxy/0",))
    decision = Director().settle(report)
    assert decision.repair.leave == ("worker/1", "proxy/0")


ILLNESSES = ("fine", "missing", "silent", "off", "dead", "failed")


@st.composite
def ill_clusters(draw: st.DrawFn) -> tuple[HealthReport, int]:
    """A cluster of any size where anything may be wrong with anybody."""
    spec = spec_of(etcd=draw(st.sampled_from([1, 3, 5])), master=2, worker=2, azs=draw(st.integers(1, 3)))
    report = healthy(spec)
    for instance in spec.instances():
        match draw(st.sampled_from(ILLNESSES)):
            case "missing":
                report = missing(report, instance.id)
            case "silent":
                report = silent(report, instance.id)
            case "off":
                report = off(report, instance.id)
            case "dead" if instance.role is Role.ETCD:
                report = dead_unit(report, instance.id, "etcd.service")
            case "failed":
                report = saying(report, instance.id, Source.UNITS, Verdict.BAD, "failed", "other.service")
    return report, spec.group("etcd").instances


@settings(max_examples=150, deadline=None)
@given(ill_clusters(), st.booleans())
def test_no_decision_ever_takes_a_majority_away(cluster: tuple[HealthReport, int], braked: bool) -> None:
    report, _ = cluster
    count = 0 if braked else 1000
    policy = HealthSpec(meltdown=MeltdownSpec(count=count), startup_seconds=5)
    azs = len({health.instance.az for health in report.instances})
    spec = spec_of(
        etcd=sum(health.instance.role is Role.ETCD for health in report.instances), master=2, worker=2, azs=azs
    )
    director = Director(spec, policy)
    for _ in range(6):
        decision = director.look(report, 6)
        taken = {
            choice.problem.instance.replace("/", "-") for choice in decision.acts if choice.resolution.is_disruptive
        }
        members = report.members or ()
        left = tuple(attrs.evolve(each, healthy=each.healthy and each.name not in taken) for each in members)
        assert has_quorum(left) == has_quorum(members)
        assert len([each for each in decision.acts if each.resolution is Resolution.RECREATE_EMPTY]) <= 1
        director.act(decision)
