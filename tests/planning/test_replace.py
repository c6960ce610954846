"""What replacing machines plans: in which order, and what is refused."""

from __future__ import annotations

import itertools

import attrs
import pytest

from kubo_sdk.errors import NotFound, Unavailable, UnsafePlan
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.observation import Drift
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.repair import Repair
from kubo_sdk.ports.cpi import VmState

from .worlds import ABLE, GONE, SILENT, before, disk, ids, machine, members, settled, spec_of, step_of, world

SPEC = spec_of()


def test_a_worker_is_drained_before_its_machine_goes_and_its_node_goes_with_it() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(replace=("worker/1",)))
    assert "drain worker/1" in before(plan, "delete vm worker/1")
    assert {"delete vm worker/1", "delete node worker/1"} <= before(plan, "create vm worker/1")
    assert {"create vm worker/1", "issue certificates"} <= before(plan, "configure worker/1")
    assert before(plan, "await worker/1") >= {"configure worker/1", "start worker/1"}


def test_a_dead_worker_is_not_drained_and_its_node_goes_at_once() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC, worker_1=SILENT), ABLE, Repair(replace=("worker/1",)))
    assert "drain worker/1" not in ids(plan)
    assert before(plan, "delete node worker/1") == {"prepare infrastructure", "delete vm worker/1"}


def test_without_an_api_nobody_is_drained() -> None:
    observation = attrs.evolve(world(SPEC, SPEC), api_ready=False)
    plan = plan_deploy(SPEC, observation, ABLE, Repair(replace=("worker/1",)))
    assert not {"drain worker/1", "delete node worker/1"} & set(ids(plan))


def test_a_member_with_its_disk_hands_over_and_stays_a_member() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(replace=("etcd/0",)))
    assert "move leadership etcd/0" in before(plan, "delete vm etcd/0")
    verbs = {step.verb for step in plan.steps}
    assert not verbs & {Verb.REMOVE_MEMBER, Verb.JOIN_MEMBER, Verb.DELETE_DISK, Verb.CREATE_DISK}


def test_a_wiped_member_leaves_first_and_comes_back_as_a_learner() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(wipe=("etcd/1",)))
    assert step_of(plan, "delete disk etcd/1").effect is Effect.LOSE_DATA
    chain = (
        "move leadership etcd/1",
        "remove member etcd/1",
        "delete vm etcd/1",
        "delete disk etcd/1",
        "create disk etcd/1",
        "create vm etcd/1",
        "join member etcd/1",
        "configure etcd/1",
        "promote member etcd/1",
        "await etcd/1",
    )
    for earlier, later in itertools.pairwise(chain):
        assert earlier in before(plan, later)


def test_a_member_without_a_disk_of_its_own_gives_up_its_data_with_its_machine() -> None:
    groups = tuple(attrs.evolve(group, persistent_disk_mb=0) for group in SPEC.instance_groups)
    spec = attrs.evolve(SPEC, instance_groups=groups)
    views = {f"etcd_{place}": {"disk": None} for place in range(3)}
    plan = plan_deploy(spec, world(spec, spec, **views), ABLE, Repair(replace=("etcd/1",)))
    assert "remove member etcd/1" in before(plan, "delete vm etcd/1")
    assert "join member etcd/1" in before(plan, "configure etcd/1")


def test_members_that_must_resolve_a_new_one_are_told_before_it_joins() -> None:
    unsettled = {"settled": False, "drift": Drift(files=("/etc/hosts",))}
    observation = world(SPEC, SPEC, etcd_0=unsettled, etcd_2=unsettled)
    plan = plan_deploy(SPEC, observation, ABLE, Repair(wipe=("etcd/1",)))
    assert {"configure etcd/0", "configure etcd/2"} <= before(plan, "join member etcd/1")


def test_a_running_master_restarts_only_after_the_replaced_one_serves() -> None:
    loud = {"settled": False, "drift": Drift(files=("/etc/x",), units=("kube-apiserver.service",))}
    plan = plan_deploy(SPEC, world(SPEC, SPEC, master_1=loud), ABLE, Repair(replace=("master/0",)))
    assert "await master/0" in before(plan, "configure master/1")


@pytest.mark.parametrize("pair", [("master/0", "master/1"), ("etcd/0", "etcd/1")])
def test_two_that_serve_are_not_replaced_at_once(pair: tuple[str, str]) -> None:
    with pytest.raises(UnsafePlan, match="all serve; replace them one after the other"):
        plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(replace=pair))


def test_dead_machines_of_every_role_are_replaced_at_once() -> None:
    dead = ("etcd/1", "master/1", "worker/1")
    views = {name.replace("/", "_"): SILENT for name in dead}
    observation = attrs.evolve(
        world(SPEC, SPEC, **views), members=members("etcd/0", "etcd/1", "etcd/2", unhealthy=("etcd/1",))
    )
    plan = plan_deploy(SPEC, observation, ABLE, Repair(replace=dead))
    for name in dead:
        assert before(plan, f"create vm {name}") <= {
            "prepare infrastructure",
            f"delete vm {name}",
            f"delete node {name}",
        }


@pytest.mark.parametrize(
    ("shape", "instance", "sentence"),
    [
        ({"master": 1}, "master/0", "master/0 is the only master of cluster kubo/c that serves"),
        ({"etcd": 1}, "etcd/0", "without etcd/0 too few etcd members of cluster kubo/c serve for a majority"),
    ],
)
def test_the_last_one_is_replaced_only_by_force(shape: dict[str, int], instance: str, sentence: str) -> None:
    spec = spec_of(**shape)
    with pytest.raises(UnsafePlan, match=sentence):
        plan_deploy(spec, world(spec, spec), ABLE, Repair(replace=(instance,)))
    plan = plan_deploy(spec, world(spec, spec), ABLE, Repair(replace=(instance,)), force=True)
    assert f"create vm {instance}" in ids(plan)


def test_the_only_master_is_replaced_without_force_once_it_serves_nothing() -> None:
    spec = spec_of(master=1)
    observation = attrs.evolve(world(spec, spec), api_ready=False)
    assert "create vm master/0" in ids(plan_deploy(spec, observation, ABLE, Repair(replace=("master/0",))))


def test_the_last_member_is_never_wiped() -> None:
    spec = spec_of(etcd=1)
    with pytest.raises(UnsafePlan, match="etcd/0 is the last etcd member"):
        plan_deploy(spec, world(spec, spec), ABLE, Repair(wipe=("etcd/0",)), force=True)


def test_no_member_is_wiped_beside_one_that_is_down() -> None:
    observation = attrs.evolve(world(SPEC, SPEC), members=members("etcd/0", "etcd/1", "etcd/2", unhealthy=("etcd/0",)))
    with pytest.raises(UnsafePlan, match="without etcd/1 only 1 of 2 etcd members"):
        plan_deploy(SPEC, observation, ABLE, Repair(wipe=("etcd/1",)), force=True)


def test_no_member_is_wiped_while_nobody_can_tell_who_is_one() -> None:
    observation = attrs.evolve(world(SPEC, SPEC), members=None)
    with pytest.raises(UnsafePlan, match="etcd of cluster kubo/c does not answer, so etcd/1 cannot give up its data"):
        plan_deploy(SPEC, observation, ABLE, Repair(wipe=("etcd/1",)))


def test_an_instance_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(NotFound, match=r"has no instance 'worker/9'; there are: etcd/0, etcd/1"):
        plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(replace=("worker/9",)))


def test_a_machine_that_does_not_answer_is_told_before_anything_happens() -> None:
    with pytest.raises(Unavailable, match=r"worker/2 of cluster kubo/c does not answer; .* kubo recreate worker/2"):
        plan_deploy(SPEC, world(SPEC, SPEC, worker_2=SILENT), ABLE)


def test_what_is_left_alone_holds_up_nobody() -> None:
    observation = world(SPEC, SPEC, worker_2=SILENT, master_1=GONE, etcd_2=GONE)
    plan = plan_deploy(SPEC, observation, ABLE, Repair(replace=("worker/1",), leave=("worker/2", "master/1", "etcd/2")))
    assert "create vm worker/1" in ids(plan)
    assert not [step for step in plan.steps if step.instance in {"worker/2", "master/1", "etcd/2"}]


def test_what_depends_on_a_machine_that_is_left_alone_is_left_alone_too() -> None:
    loud = {"settled": False, "drift": Drift(files=("/etc/x",), units=("kube-apiserver.service",))}
    observation = world(SPEC, SPEC, etcd_2=GONE, master_0=loud)
    assert plan_deploy(SPEC, observation, ABLE, Repair(leave=("etcd/2",))).is_empty


def test_a_silent_machine_is_rebooted_configured_and_awaited() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC, worker_1=SILENT), ABLE, Repair(reboot=("worker/1",)))
    assert {"reboot vm worker/1", "configure worker/1"} <= before(plan, "await worker/1")
    assert step_of(plan, "await worker/1").details == ("kubelet.service",)


@pytest.mark.parametrize("instance", ["worker/1", "master/0", "etcd/1", "proxy/0"])
def test_restarted_units_are_waited_for(instance: str) -> None:
    units = ("one.service", "two.service")
    plan = plan_deploy(SPEC, world(SPEC, SPEC), ABLE, Repair(restart_units=((instance, units),)))
    assert ids(plan) == [f"restart units {instance}", f"await {instance}"]
    assert step_of(plan, f"await {instance}").details == units


def test_a_worker_that_the_director_cordoned_comes_back_into_service() -> None:
    plan = plan_deploy(SPEC, world(SPEC, SPEC, worker_1={"cordoned": True}), ABLE)
    assert ids(plan) == ["uncordon worker/1"]


def test_one_new_worker_leaves_alone_whoever_does_not_name_it() -> None:
    names = {"settled": False, "drift": Drift(files=("/etc/haproxy.cfg",), units=("kubo-haproxy.service",))}
    there = spec_of(worker=2)
    plan = plan_deploy(SPEC, world(SPEC, there, proxy_0=names), ABLE)
    touched = {step.instance for step in plan.steps if step.verb is Verb.CONFIGURE_INSTANCE}
    assert touched == {"worker/2", "proxy/0"}


def test_a_new_line_in_a_hosts_file_restarts_nobody_and_nobody_waits() -> None:
    quiet = {"settled": False, "drift": Drift(files=("/etc/hosts",))}
    names = [view.instance.id for view in world(SPEC, SPEC).instances if view.instance.id != "worker/2"]
    views = {name.replace("/", "_"): quiet for name in names}
    plan = plan_deploy(SPEC, world(SPEC, spec_of(worker=2), **views), ABLE)
    told = [step for step in plan.steps if step.verb is Verb.CONFIGURE_INSTANCE and step.instance != "worker/2"]
    assert len(told) == len(names)
    assert {step.effect for step in told} == {Effect.CHANGE}
    assert {step.instance for step in plan.steps if step.verb is Verb.AWAIT_INSTANCE} == {"worker/2"}
    assert all(not any(need.startswith("await") for need in step.needs) for step in told)


def test_a_stopped_member_whose_state_nobody_knows_joins_nobody_anew() -> None:
    stopped = {**SILENT, "reachable": True, "vm": machine("etcd/0", VmState.STOPPED), "disk": disk("etcd/0")}
    views = {f"etcd_{place}": {**stopped, "vm": machine(f"etcd/{place}", VmState.STOPPED)} for place in range(3)}
    observation = attrs.evolve(world(SPEC, SPEC, **views), members=None, api_ready=False)
    plan = plan_deploy(SPEC, observation, ABLE)
    assert {f"reboot vm etcd/{place}" for place in range(3)} <= set(ids(plan))
    assert not [step for step in plan.steps if step.verb is Verb.JOIN_MEMBER]
    for place in range(3):
        assert not any(need.startswith("await") for need in before(plan, f"configure etcd/{place}"))
    assert settled("etcd/0").is_serving
