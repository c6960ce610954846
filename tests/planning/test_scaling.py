"""What scaling plans: who joins, who leaves, in which order, and never below etcd's majority."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubo_sdk.errors import Unavailable, UnsafePlan
from kubo_sdk.model.instance import Role
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.planning.observation import Drift, InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.planning.quorum import quorum
from kubo_sdk.planning.repair import Repair

from .worlds import (
    ABLE,
    GONE,
    SILENT,
    absences,
    before,
    disk,
    ids,
    instance_of,
    members,
    spec_of,
    step_of,
    world,
    worst_majorities,
)

SPEC = spec_of()
LOUD = {"settled": False, "drift": Drift(files=("/etc/x",), units=("kube-apiserver.service",))}


def grown(etcd_from: int, etcd_to: int) -> Plan:
    return plan_deploy(
        spec_of(etcd=etcd_to),
        world(spec_of(etcd=etcd_to), spec_of(etcd=etcd_from), master_0=LOUD, master_1=LOUD),
        ABLE,
    )


def test_members_join_one_after_the_other_and_masters_hear_of_them_at_the_end() -> None:
    plan = grown(3, 5)
    assert "await etcd/3" in before(plan, "join member etcd/4")
    assert before(plan, "await etcd/3") >= {"join member etcd/3", "configure etcd/3", "promote member etcd/3"}
    assert {"await etcd/3", "await etcd/4"} <= before(plan, "configure master/0")
    assert "await master/0" in before(plan, "configure master/1")


def test_machines_of_new_members_are_made_at_once() -> None:
    plan = grown(1, 5)
    assert all(not before(plan, f"create vm etcd/{place}") & set(joins(plan)) for place in range(1, 5))


def joins(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps if step.verb is Verb.JOIN_MEMBER]


def test_a_shrinking_etcd_tells_the_masters_first_and_gives_up_one_member_after_the_other() -> None:
    drifted = {"drift": Drift(files=("/etc/x",), units=("kube-apiserver.service",))}
    small = spec_of(etcd=1)
    plan = plan_deploy(small, world(small, SPEC, master_0=drifted, master_1=drifted), ABLE)
    removals = [step.id for step in plan.steps if step.verb is Verb.REMOVE_MEMBER]
    assert removals == ["remove member etcd/1", "remove member etcd/2"]
    assert {"await master/0", "await master/1"} <= before(plan, removals[0])
    assert removals[0] in before(plan, removals[1])
    for name in ("etcd/1", "etcd/2"):
        assert f"move leadership {name}" in before(plan, f"remove member {name}")
        assert f"remove member {name}" in before(plan, f"delete vm {name}")
        assert f"delete vm {name}" in before(plan, f"delete disk {name}")
        assert step_of(plan, f"delete disk {name}").effect is Effect.LOSE_DATA


def test_the_member_that_leads_leaves_last_and_a_dead_one_first() -> None:
    small = spec_of(etcd=1)
    there = members("etcd/0", "etcd/1", "etcd/2", unhealthy=("etcd/2",))
    led = tuple(attrs.evolve(member, leader=member.name == "etcd-1") for member in there)
    plan = plan_deploy(small, attrs.evolve(world(small, SPEC), members=led), ABLE)
    assert [step.id for step in plan.steps if step.verb in {Verb.REMOVE_MEMBER, Verb.MOVE_LEADER}] == [
        "remove member etcd/2",
        "move leadership etcd/1",
        "remove member etcd/1",
    ]


def test_a_worker_that_is_taken_away_leaves_nothing_behind() -> None:
    small = spec_of(worker=2)
    observation = attrs.evolve(
        world(small, SPEC, proxy_0={"drift": Drift(files=("/etc/haproxy.cfg",), units=("h.service",))}),
        stray_credentials=("kubelet-worker-2",),
        stale_names=("worker-2.c.kubo.internal",),
    )
    plan = plan_deploy(small, observation, ABLE)
    assert {"drain worker/2", "configure proxy/0", "ensure endpoints"} <= before(plan, "delete vm worker/2")
    assert "delete vm worker/2" in before(plan, "delete node worker/2")
    assert step_of(plan, "retire credentials").details == ("kubelet-worker-2",)
    assert step_of(plan, "delete names").details == ("worker-2.c.kubo.internal",)


def test_what_an_interrupted_scaling_left_is_taken_away_by_the_next() -> None:
    small = spec_of(etcd=1, worker=2)
    base = world(small, small)
    left = disk("etcd/1")
    assert left is not None
    observation = attrs.evolve(
        base,
        stray_disks=(left,),
        nodes=(*base.nodes, "worker-2"),
        stray_credentials=("etcd-server-etcd-1",),
        members=members("etcd/0", "etcd/1"),
    )
    assert ids(plan_deploy(small, observation, ABLE)) == [
        "remove member etcd/1",
        "delete node worker/2",
        "delete disk etcd/1",
        "retire credentials",
    ]


def test_a_new_worker_is_ready_before_an_old_one_is_drained() -> None:
    wished = spec_of(worker=2)
    observation = attrs.evolve(world(wished, SPEC, worker_1=GONE), nodes=("worker-0", "worker-2"))
    plan = plan_deploy(wished, observation, ABLE)
    assert "await worker/1" in before(plan, "drain worker/2")


def test_a_master_is_taken_away_after_the_others_serve() -> None:
    small = spec_of(master=1)
    plan = plan_deploy(small, world(small, SPEC, master_0=LOUD | {"settled": True}), ABLE)
    assert "await master/0" in before(plan, "delete vm master/1")


def test_the_last_master_that_serves_is_not_taken_away() -> None:
    small = spec_of(master=1)
    observation = world(small, SPEC, master_0=SILENT)
    with pytest.raises(UnsafePlan, match="without master/1 cluster kubo/c would have no master that serves"):
        plan_deploy(small, observation, ABLE, Repair(leave=("master/0",)))


def test_etcd_does_not_shrink_to_a_member_that_is_down() -> None:
    small = spec_of(etcd=1)
    observation = attrs.evolve(world(small, SPEC), members=members("etcd/0", "etcd/1", "etcd/2", unhealthy=("etcd/0",)))
    with pytest.raises(UnsafePlan, match="too few for a majority; bring the others back first"):
        plan_deploy(small, observation, ABLE)


def test_a_member_that_lost_machine_and_disk_is_removed_and_joins_anew() -> None:
    observation = attrs.evolve(
        world(SPEC, SPEC, etcd_2={**GONE, "disk": None}),
        members=members("etcd/0", "etcd/1", "etcd/2", unhealthy=("etcd/2",)),
    )
    plan = plan_deploy(SPEC, observation, ABLE)
    assert "remove member etcd/2" in before(plan, "create disk etcd/2")
    assert before(plan, "promote member etcd/2") >= {"join member etcd/2", "configure etcd/2"}


@pytest.mark.parametrize("removed", [True, False])
def test_a_rejoin_that_was_interrupted_goes_on(removed: bool) -> None:
    """Whether the machine is there already, and the member was added and never started, or not added yet."""
    unstarted = EtcdMemberView(id=9, name="", peer_urls=("https://etcd-2.c.kubo.internal:2380",), learner=True)
    listed = members("etcd/0", "etcd/1")
    observation = attrs.evolve(
        world(SPEC, SPEC, etcd_2={"configured": False, "drift": None}),
        members=listed if removed else (*listed, unstarted),
    )
    plan = plan_deploy(SPEC, observation, ABLE)
    assert "remove member etcd/2" not in ids(plan)
    assert "join member etcd/2" in before(plan, "configure etcd/2")


def test_a_learner_that_was_not_promoted_is_promoted() -> None:
    learner = attrs.evolve(members("etcd/2")[0], id=9, learner=True, leader=False)
    observation = attrs.evolve(world(SPEC, SPEC), members=(*members("etcd/0", "etcd/1"), learner))
    assert ids(plan_deploy(SPEC, observation, ABLE)) == ["promote member etcd/2", "await etcd/2"]


def test_a_lost_majority_is_named_with_the_way_out() -> None:
    lost = {**GONE, "disk": None}
    observation = attrs.evolve(world(SPEC, SPEC, etcd_1=lost, etcd_2=lost), members=None, api_ready=False)
    with pytest.raises(UnsafePlan, match=r"the data of etcd/1, etcd/2 is gone .* kubo recover etcd/0 --force"):
        plan_deploy(SPEC, observation, ABLE)


def test_with_all_data_lost_nothing_can_be_recovered() -> None:
    lost = {**GONE, "disk": None}
    views = {f"etcd_{place}": lost for place in range(3)}
    observation = attrs.evolve(world(SPEC, SPEC, **views), members=None, api_ready=False)
    with pytest.raises(UnsafePlan, match="delete the cluster and make it anew"):
        plan_deploy(SPEC, observation, ABLE)


def test_a_majority_whose_machines_are_gone_comes_back_before_the_lost_one_joins() -> None:
    views = {"etcd_0": GONE, "etcd_1": GONE, "etcd_2": {**GONE, "disk": None}}
    observation = attrs.evolve(world(SPEC, SPEC, **views), members=None, api_ready=False)
    plan = plan_deploy(SPEC, observation, ABLE)
    assert {"create vm etcd/0", "create vm etcd/1"} <= set(ids(plan))
    assert "create vm etcd/2" not in ids(plan)


def test_etcd_does_not_grow_while_it_does_not_answer() -> None:
    wished = spec_of(etcd=5)
    observation = attrs.evolve(world(wished, SPEC), members=None)
    with pytest.raises(Unavailable, match="does not answer, so etcd/3, etcd/4 cannot join"):
        plan_deploy(wished, observation, ABLE)


def test_a_cluster_that_is_made_for_the_first_time_joins_nobody() -> None:
    observation = attrs.evolve(
        world(SPEC, SPEC),
        instances=tuple(InstanceView(instance=each) for each in SPEC.instances()),
        members=None,
        api_ready=False,
        credentials=(),
        nodes=(),
    )
    assert joins(plan_deploy(SPEC, observation, ABLE)) == []


SHAPES = st.sampled_from([1, 3, 5])
LOSSES = st.sampled_from(["none", "machine", "machine and disk", "silent", "wiped", "replaced", "drift"])


@settings(max_examples=500, deadline=None)
@given(SHAPES, SHAPES, st.lists(LOSSES, min_size=5, max_size=5), st.booleans())
def test_no_plan_takes_etcd_below_its_majority(there: int, wished: int, losses: list[str], force: bool) -> None:
    """Unless it is refused, or there is no majority to begin with; whatever happens to whom."""
    names = [f"etcd/{place}" for place in range(there)]
    fate = dict(zip(names, losses, strict=False))
    down = [name for name in names if fate[name] in {"machine", "machine and disk", "silent"}]
    if len(names) - len(down) < quorum(len(names)):
        return
    observation, repair = battered(there, wished, fate, down)
    try:
        plan = plan_deploy(spec_of(etcd=wished), observation, ABLE, repair, force=force)
    except (UnsafePlan, Unavailable):
        return
    seen: set[str] = set()
    for step in plan.steps:
        assert seen.issuperset(step.needs), step.id
        seen.add(step.id)
    voters = {name: name not in down for name in names}
    for one, other in itertools.combinations(absences(plan, names), 2):
        one_by_one = one[1] in before(plan, other[0]) or other[1] in before(plan, one[0])
        assert one_by_one or {one[0], other[0]} & {f"delete vm {name}" for name in down}, (one, other)
    for step_id, serving, voting in worst_majorities(plan, voters):
        accepted = force and serving >= quorum(voting) - 1 and not step_id.startswith("remove member")
        joining = step_id.startswith("promote member")
        alone = voting == 1 and not step_id.startswith(("remove member", "delete"))
        assert serving >= quorum(voting) or accepted or joining or alone, (step_id, serving, voting, ids(plan))


def battered(there: int, wished: int, fate: dict[str, str], down: list[str]) -> tuple[Observation, Repair]:
    spec, listed = spec_of(etcd=wished), {f"etcd/{place}" for place in range(wished)}
    views = {
        name.replace("/", "_"): {
            "machine": GONE,
            "machine and disk": {**GONE, "disk": None},
            "silent": SILENT,
            "drift": {"drift": Drift(files=("/etc/x",), units=("etcd.service",))},
        }.get(lot, {})
        for name, lot in fate.items()
    }
    observation = attrs.evolve(world(spec, spec_of(etcd=there), **views), members=members(*fate, unhealthy=down))
    repair = Repair(
        wipe=tuple(name for name, lot in fate.items() if lot == "wiped" and name in listed),
        replace=tuple(name for name, lot in fate.items() if lot in {"replaced", "silent"} and name in listed),
    )
    return attrs.evolve(observation, unknown=(*observation.unknown, *repair.condemned)), repair


def test_a_plan_for_one_more_worker_of_a_thousand_touches_what_names_it() -> None:
    there, wished = spec_of(worker=999), spec_of(worker=1000)
    plan = plan_deploy(wished, world(wished, there, proxy_0=LOUD), ABLE)
    assert {step.instance for step in plan.steps if step.instance} == {"worker/999", "proxy/0"}
    assert instance_of("worker/999").role is Role.WORKER
