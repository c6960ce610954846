"""What a repair plans: what was decided, and nothing that only a deploy may do."""

from __future__ import annotations

import attrs

from kubo_sdk.planning.decision import Choice, Decision, Standing
from kubo_sdk.planning.heal import plan_heal
from kubo_sdk.planning.plan import Effect
from kubo_sdk.planning.problems import Problem, ProblemType
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.resolutions import Resolution

from .worlds import ABLE, GONE, ids, members, spec_of, step_of, world

SPEC = spec_of()
FORMER = spec_of(worker=4)


def decided(problem: Problem, resolution: Resolution, **repair: tuple[str, ...]) -> Decision:
    choice = Choice(problem=problem, standing=Standing.ACT, resolution=resolution, why="")
    return Decision(choices=(choice,), repair=Repair(**repair))  # type: ignore[arg-type]


def about(kind: ProblemType, subject: str, *details: str, instance: str = "") -> Problem:
    return Problem(type=kind, subject=subject, instance=instance, sentence="", details=details)


MISSING = decided(about(ProblemType.MISSING_VM, "worker/1", instance="worker/1"), Resolution.RECREATE)


def test_a_missing_machine_is_made_and_nothing_else_is_touched() -> None:
    plan = plan_heal(SPEC, world(SPEC, SPEC, worker_1=GONE), ABLE, MISSING)
    assert plan.operation == "heal"
    assert "create vm worker/1" in ids(plan)
    assert {step.instance for step in plan.steps} == {None, "worker/1"}


def test_what_the_spec_lists_no_more_is_not_taken_away_by_a_repair() -> None:
    observation = world(SPEC, FORMER, worker_1=GONE)
    assert not [name for name in ids(plan_heal(SPEC, observation, ABLE, MISSING)) if "worker/3" in name]


def test_the_node_of_a_former_instance_goes_when_that_was_decided_and_only_the_node() -> None:
    observation = attrs.evolve(
        world(SPEC, FORMER), strangers=(), stale_names=("worker-3",), stray_credentials=("kubelet-worker-3",)
    )
    former = about(ProblemType.NODE_WITHOUT_MACHINE, "10.0.0.9", "10.0.0.9", "worker-3")
    plan = plan_heal(SPEC, observation, ABLE, decided(former, Resolution.DELETE_NODE))
    assert ids(plan) == ["delete node worker/3"]


def test_the_old_node_of_a_machine_that_is_there_goes_by_waiting_for_the_right_one() -> None:
    stale = about(ProblemType.NODE_WITHOUT_MACHINE, "10.0.0.9", "10.0.0.9", "worker-1", instance="worker/1")
    plan = plan_heal(SPEC, world(SPEC, SPEC), ABLE, decided(stale, Resolution.DELETE_NODE))
    assert ids(plan) == ["await worker/1"]


def test_a_dead_member_of_a_former_instance_leaves_when_that_was_decided() -> None:
    observation = attrs.evolve(
        world(SPEC, SPEC), members=members("etcd/0", "etcd/1", "etcd/2", "etcd/7", unhealthy=("etcd/7",))
    )
    dead = about(ProblemType.ETCD_MEMBER_WITHOUT_MACHINE, "etcd-7", "8", "etcd-7")
    assert ids(plan_heal(SPEC, observation, ABLE, decided(dead, Resolution.REMOVE_MEMBER))) == ["remove member etcd/7"]
    assert not ids(plan_heal(SPEC, observation, ABLE, Decision()))


def test_a_stray_disk_is_destroyed_when_somebody_asks_for_it() -> None:
    stray = about(ProblemType.STRAY_DISK, "disk-7", "disk-7")
    plan = plan_heal(SPEC, world(SPEC, SPEC), ABLE, decided(stray, Resolution.DELETE_DISK))
    step = step_of(plan, "delete disk disk-7")
    assert (step.effect, step.details) == (Effect.LOSE_DATA, ("disk-7",))


def test_every_step_that_is_left_needs_only_steps_that_are_left() -> None:
    observation = world(SPEC, FORMER, worker_1=GONE)
    former = about(ProblemType.NODE_WITHOUT_MACHINE, "10.0.0.9", "10.0.0.9", "worker-3")
    plan = plan_heal(SPEC, observation, ABLE, decided(former, Resolution.DELETE_NODE))
    for step in plan.steps:
        assert set(step.needs) <= set(ids(plan))
