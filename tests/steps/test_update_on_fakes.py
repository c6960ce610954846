"""Whole clusters on the fake cloud whose spec changes: what restarts, what is replaced, what is refused."""

from __future__ import annotations

import contextlib
import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import attrs
import pytest

from kubo_sdk.config.written import spec_document
from kubo_sdk.errors import ConfigError, DeployFailed, UnsafePlan
from kubo_sdk.events import PlanMade, StepFinished
from kubo_sdk.kept_spec import kept_spec
from kubo_sdk.model.spec import InFlight, NodeNames, ProviderChoice, UpdatePolicy, VmSize
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud

from .fleet import Fleet, fleet


@pytest.fixture
def usual(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=3, master=2, worker=3, proxy=1)
    made.cluster.deploy()
    return made


@pytest.fixture
def small(cloud: FakeCloud, tmp_path: Path) -> Fleet:
    made = fleet(tmp_path, cloud, etcd=1, master=1, worker=2, proxy=1)
    made.cluster.deploy()
    return made


def set_flags(there: Fleet, **flags: dict[str, str]) -> None:
    """Set flags of programs, named with underscores."""
    named = {component.replace("_", "-"): values for component, values in flags.items()}
    there.spec = attrs.evolve(there.spec, kubernetes=attrs.evolve(there.spec.kubernetes, extra_args=named))


def set_update(there: Fleet, **update: Any) -> None:
    there.spec = attrs.evolve(there.spec, update=attrs.evolve(there.spec.update, **update))


def set_groups(there: Fleet, role: str = "", **changes: Any) -> None:
    groups = (attrs.evolve(g, **changes) if role in ("", g.name) else g for g in there.spec.instance_groups)
    there.spec = attrs.evolve(there.spec, instance_groups=tuple(groups))


def machines(there: Fleet) -> dict[str, str]:
    return {name: machine.id for name, machine in there.cloud.machines_of(there.spec.id).items()}


def steps(there: Fleet) -> list[str]:
    """Every step of the last operation, over all its plans."""
    ends = [place for place, event in enumerate(there.events) if type(event).__name__ == "OperationFinished"]
    since = ends[-2] if len(ends) > 1 else 0
    return [event.step for event in there.events[since:] if isinstance(event, StepFinished)]


def test_a_setting_of_one_program_restarts_that_program_and_nothing_else(usual: Fleet) -> None:
    set_flags(usual, kubelet={"v": "4"})
    plan = usual.cluster.plan()
    told = {step.instance: step.details for step in plan.steps if step.effect is Effect.RESTART}
    assert told == {f"worker/{place}": ("kubelet.service",) for place in range(3)}
    assert not plan.interrupts
    before = machines(usual)
    usual.cluster.deploy()
    usual.check_whole()
    assert machines(usual) == before


def test_the_plan_says_who_is_not_served_meanwhile(small: Fleet) -> None:
    set_flags(small, kube_apiserver={"v": "1"}, etcd={"snapshot-count": "50000"})
    assert small.cluster.plan().interrupts == (
        "the API does not answer while etcd/0, the only etcd member, is away",
        "the API does not answer while master/0, the only master, is away",
    )
    small.cluster.deploy()
    small.check_whole()


def test_a_canary_that_does_not_come_back_stops_the_rollout_and_the_former_spec_goes_back(usual: Fleet) -> None:
    set_update(usual, max_in_flight=InFlight(number=2), watch_seconds=20.0)
    former = usual.spec
    usual.machine("worker/0").unit("kubelet").cursed = True
    set_flags(usual, kubelet={"v": "4"})
    with pytest.raises(DeployFailed, match=r"await worker/0: .*kubo up goes on .* with the former spec it goes back"):
        usual.cluster.deploy()
    assert {"configure worker/1", "configure worker/2"}.isdisjoint(usual.done())
    usual.spec = former
    usual.machine("worker/0").unit("kubelet").cursed = False
    usual.cluster.deploy()
    usual.check_whole()
    touched = {step for step in usual.done() if step.startswith("configure")}
    assert touched == {"configure worker/0"}


def test_the_canary_that_failed_is_the_first_when_the_rollout_goes_on(usual: Fleet) -> None:
    set_update(usual, canaries=0, watch_seconds=20.0)
    usual.machine("worker/0").unit("kubelet").cursed = True
    set_flags(usual, kubelet={"v": "4"})
    with pytest.raises(DeployFailed):
        usual.cluster.deploy()
    usual.machine("worker/0").unit("kubelet").cursed = False
    set_flags(usual, kubelet={"v": "3"})
    usual.cluster.deploy()
    configured = [step for step in usual.done() if step.startswith("configure")]
    assert configured == [f"configure worker/{place}" for place in range(3)]
    usual.check_whole()


@pytest.mark.parametrize("role", ["worker", "master", "etcd", "proxy"])
@pytest.mark.parametrize("on_machines", [False, True], ids=["names on a server", "names in files"])
def test_another_size_replaces_one_machine_after_the_other(
    cloud: FakeCloud, tmp_path: Path, role: str, on_machines: bool
) -> None:
    usual = fleet(tmp_path, cloud, on_machines=on_machines, etcd=3, master=2, worker=3, proxy=1)
    usual.cluster.deploy()
    before = machines(usual)
    set_groups(usual, role, vm=VmSize(memory_mb=4096))
    plan = usual.cluster.plan()
    members = [each.id for each in usual.spec.group(role).members()]
    assert [each.instance for each in plan.replaces] == members
    assert f"replace   {members[0]}: its machine has another size than the spec says" in str(plan)
    usual.cluster.deploy()
    usual.check_whole()
    now = machines(usual)
    assert {name for name in now if now[name] != before[name]} == set(members)
    made = [step for step in steps(usual) if step.startswith(("delete vm", "await")) and f" {role}/" in step]
    assert made.index(f"delete vm {members[-1]}") > max(
        [made.index(f"await {name}") for name in members[:-1] if f"await {name}" in made], default=-1
    )


def test_another_stemcell_replaces_every_machine_the_members_of_etcd_last(usual: Fleet) -> None:
    before = machines(usual)
    usual.cloud.stemcell = "two"
    usual.cluster.deploy()
    usual.check_whole()
    assert not set(before.values()) & set(machines(usual).values())
    gone = [step.partition(" vm ")[2] for step in steps(usual) if step.startswith("delete vm")]
    assert [name.partition("/")[0] for name in gone] == ["master"] * 2 + ["worker"] * 3 + ["proxy"] + ["etcd"] * 3


def test_workers_are_replaced_canary_first_then_as_many_as_may_be_away(usual: Fleet) -> None:
    set_update(usual, max_in_flight=InFlight(number=2))
    set_groups(usual, "worker", vm=VmSize(cpus=2))
    start = len(usual.events)
    usual.cluster.deploy()
    rounds: list[set[str]] = []
    for event in usual.events[start:]:
        if isinstance(event, PlanMade):
            rounds.append(set())
        elif isinstance(event, StepFinished) and event.step.startswith("delete vm"):
            rounds[-1].add(str(event.instance))
    assert [each for each in rounds if each] == [{"worker/0"}, {"worker/1", "worker/2"}]
    usual.check_whole()


def test_machines_move_to_the_az_the_spec_says(usual: Fleet) -> None:
    set_groups(usual, "worker", azs=("z2", "z3"))
    usual.cluster.deploy()
    usual.check_whole()
    zones = [usual.machine(f"worker/{place}").instance.az for place in range(3)]
    assert zones == ["z2", "z3", "z2"]


@pytest.mark.parametrize("size", [2048, 0])
@pytest.mark.parametrize("on_machines", [False, True], ids=["names on a server", "names in files"])
def test_members_get_another_disk_one_after_the_other(
    cloud: FakeCloud, tmp_path: Path, size: int, on_machines: bool
) -> None:
    usual = fleet(tmp_path, cloud, on_machines=on_machines, etcd=3, master=2, worker=1, proxy=1)
    usual.cluster.deploy()
    set_groups(usual, "etcd", persistent_disk_mb=size)
    told = usual.cluster.plan().replaces
    assert [(each.instance, each.loses_data) for each in told] == [(f"etcd/{place}", True) for place in range(3)]
    usual.cluster.deploy()
    usual.check_whole()
    disks = usual.cluster.providers.cpi.list_disks(usual.spec.id)  # type: ignore[attr-defined]
    assert {disk.size_mb for disk in disks} == ({size} if size else set())
    assert usual.peers() == ["etcd-0", "etcd-1", "etcd-2"]


def test_a_disk_whose_data_nobody_else_has_is_not_given_up(cloud: FakeCloud, tmp_path: Path) -> None:
    there = fleet(tmp_path, cloud, etcd=1, master=1, worker=1, proxy=1)
    set_groups(there, "proxy", persistent_disk_mb=256)
    there.cluster.deploy()
    set_groups(there, "proxy", persistent_disk_mb=512)
    with pytest.raises(ConfigError, match=r"proxy/0 of cluster .*: its persistent disk has 256 MB and is to have 512"):
        there.cluster.plan()
    set_groups(there, "proxy", persistent_disk_mb=256)
    set_groups(there, "etcd", persistent_disk_mb=4096)
    with pytest.raises(UnsafePlan, match="etcd/0 is the last etcd member"):
        there.cluster.deploy(force=True)
    assert there.cloud.machines_of(there.spec.id)


def test_a_policy_of_changes_in_place_refuses_to_replace_and_names_whom(usual: Fleet) -> None:
    set_update(usual, policy=UpdatePolicy.IN_PLACE_ONLY)
    set_flags(usual, kubelet={"v": "4"})
    usual.cluster.deploy()
    before = machines(usual)
    set_groups(usual, "master", vm=VmSize(cpus=2))
    with pytest.raises(UnsafePlan, match=r"master/0 \(its machine has another size .*update.policy is in_place_only"):
        usual.cluster.deploy()
    assert machines(usual) == before


def test_a_policy_of_replacing_restarts_no_running_machine(usual: Fleet) -> None:
    before = machines(usual)
    set_update(usual, policy=UpdatePolicy.REPLACE)
    set_flags(usual, kubelet={"v": "4"}, kube_apiserver={"v": "1"})
    plan = usual.cluster.plan()
    assert not [step for step in plan.steps if step.effect is Effect.RESTART]
    assert [each.instance for each in plan.replaces] == ["master/0", "master/1", *(f"worker/{n}" for n in range(3))]
    usual.cluster.deploy()
    usual.check_whole()
    changed = {name for name, vm in machines(usual).items() if before[name] != vm}
    assert changed == {each.instance for each in plan.replaces}


def test_the_only_master_is_replaced_only_with_force(small: Fleet) -> None:
    set_groups(small, "master", vm=VmSize(cpus=2))
    with pytest.raises(UnsafePlan, match=r"master/0 would be replaced: .* --force"):
        small.cluster.deploy()
    small.cluster.deploy(force=True)
    small.check_whole()


def evolved(there: Fleet, section: str, to: Any) -> Any:
    if not isinstance(to, dict):
        return to
    typed = {key: IPv4Network(value) if "/" in str(value) else value for key, value in to.items()}
    return attrs.evolve(getattr(there.spec, section), **typed)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("network.pods", {"network": {"pods": "10.201.0.0/16"}}),
        ("network.services", {"network": {"services": "10.101.0.0/24"}}),
        ("network.domain", {"network": {"domain": "other.local"}}),
        ("zone", {"zone": "other.internal"}),
        ("kubernetes.node_names", {"kubernetes": {"node_names": NodeNames.INSTANCE}}),
    ],
)
def test_what_a_cluster_is_made_with_cannot_become_something_else(small: Fleet, path: str, change: Any) -> None:
    small.spec = attrs.evolve(small.spec, **{section: evolved(small, section, to) for section, to in change.items()})
    with pytest.raises(ConfigError) as caught:
        small.cluster.deploy()
    (told,) = caught.value.problems
    assert told.startswith(f"{path} of cluster kubo/fakes is ")
    assert "put the former value back" in told


@pytest.mark.parametrize("call", range(1, 70, 3))
def test_a_rollout_goes_on_wherever_the_director_was_killed(cloud: FakeCloud, usual: Fleet, call: int) -> None:
    set_flags(usual, kubelet={"v": "4"}, kube_apiserver={"v": "1"}, etcd={"snapshot-count": "50000"})
    set_groups(usual, "worker", vm=VmSize(cpus=2))
    set_groups(usual, "master", vm=VmSize(cpus=2))
    cloud.faults.kill(call=call)
    with contextlib.suppress(DirectorKilled, DeployFailed):
        usual.cluster.deploy()
    cloud.faults.clear()
    usual.cluster.deploy()
    usual.check_whole()
    assert not [step for step in usual.cluster.plan().steps if step.verb is Verb.DELETE_VM]


def test_a_plan_with_replacements_is_applied_to_its_end(usual: Fleet) -> None:
    set_groups(usual, "worker", vm=VmSize(cpus=2))
    usual.cluster.apply(usual.cluster.plan())
    usual.check_whole()


def test_another_overlay_is_refused(small: Fleet) -> None:
    small.spec = attrs.evolve(small.spec, overlay=ProviderChoice(provider="none"))
    with pytest.raises(ConfigError, match="overlay"):
        small.cluster.plan()


def test_workers_to_spare_come_before_the_first_is_replaced_and_go_after_the_last(usual: Fleet) -> None:
    set_update(usual, surge=2)
    set_groups(usual, "worker", vm=VmSize(memory_mb=4096))
    usual.cluster.deploy()
    usual.check_whole()
    order = [step for step in steps(usual) if step.startswith(("create vm worker", "delete vm worker"))]
    assert sorted(order[:2]) == ["create vm worker/3", "create vm worker/4"]
    assert sorted(order[-2:]) == ["delete vm worker/3", "delete vm worker/4"]
    assert kept_spec(usual.cloud.store, usual.spec.id) == json.loads(json.dumps(spec_document(usual.spec)))


def test_a_change_in_place_needs_no_workers_to_spare(usual: Fleet) -> None:
    set_update(usual, surge=1)
    set_flags(usual, kubelet={"v": "4"})
    usual.cluster.deploy()
    usual.check_whole()
    assert not [step for step in steps(usual) if step.startswith("create vm")]


@pytest.mark.parametrize("call", [2, 12, 40, 75])
def test_a_surge_that_is_cut_off_leaves_no_worker_to_spare_behind(small: Fleet, call: int) -> None:
    set_update(small, surge=1)
    set_groups(small, "worker", vm=VmSize(memory_mb=4096))
    small.cloud.faults.kill(method="shell.run", call=call)
    with contextlib.suppress(DeployFailed, DirectorKilled):
        small.cluster.deploy()
    small.cloud.faults.clear()
    small.cluster.deploy()
    small.check_whole()
