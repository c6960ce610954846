"""What a deploy plans: from observation to steps, without any I/O."""

from __future__ import annotations

import attrs
import pytest

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.observation import Drift, InstanceView, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.ports.cpi import Disk, Vm, VmState

SPEC = ClusterSpec(name="c", kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")))
ABLE = Abilities(disks=True, shares_trees=True, runs_on_proxies=True)
RECORD = {"bootstrap": "1", "etcd-access": "2"}


def machine(instance: Instance, state: VmState = VmState.RUNNING) -> Vm:
    return Vm(
        id=f"vm-{instance.slug}",
        cluster=SPEC.id,
        instance=instance.id,
        token=instance.slug,
        state=state,
        address="10.0.0.2",
        az=instance.az,
        provider_id="",
    )


def disk(instance: Instance) -> Disk | None:
    if instance.role is not Role.ETCD:
        return None
    return Disk(id=f"disk-{instance.slug}", cluster=SPEC.id, instance=instance.id, token="t", size_mb=1)


def settled(instance: Instance) -> InstanceView:
    return InstanceView(
        instance=instance, vm=machine(instance), disk=disk(instance), configured=True, drift=Drift(), ready=True
    )


def complete(**changes: object) -> Observation:
    observation = Observation(
        instances=tuple(settled(instance) for instance in SPEC.instances()),
        release_cached=True,
        endpoints_current=True,
        api_ready=True,
        credentials=tuple(f"etcd-server-etcd-{index}" for index in range(3)),
        recorded=RECORD,
        wished=RECORD,
    )
    return attrs.evolve(observation, **changes)


def with_view(instance_id: str, **changes: object) -> Observation:
    base = complete()
    views = tuple(attrs.evolve(view, **changes) if view.instance.id == instance_id else view for view in base.instances)
    return attrs.evolve(base, instances=views)


def nothing() -> Observation:
    return Observation(instances=tuple(InstanceView(instance=i) for i in SPEC.instances()), wished=RECORD)


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def test_a_cluster_as_wished_for_needs_nothing() -> None:
    assert plan_deploy(SPEC, complete(), ABLE).is_empty


def test_a_fresh_cluster_gets_nine_machines_three_disks_and_every_later_stage() -> None:
    plan = plan_deploy(SPEC, nothing(), ABLE)
    verbs = [step.verb for step in plan.steps]
    assert verbs.count(Verb.CREATE_VM) == 9
    assert verbs.count(Verb.CREATE_DISK) == 3
    assert verbs.count(Verb.CONFIGURE_INSTANCE) == 9
    assert verbs.count(Verb.AWAIT_INSTANCE) == 8
    assert {Verb.FETCH_RELEASE, Verb.SECURE_ETCD, Verb.AWAIT_API, Verb.BOOTSTRAP_CLUSTER} <= set(verbs)


def test_every_step_stands_after_the_steps_it_needs() -> None:
    seen: set[str] = set()
    for step in plan_deploy(SPEC, nothing(), ABLE).steps:
        assert seen.issuperset(step.needs), step.id
        seen.add(step.id)


def test_machines_of_a_fresh_cluster_do_not_wait_for_each_other() -> None:
    plan = plan_deploy(SPEC, nothing(), ABLE)
    for step in plan.steps:
        if step.verb is Verb.CREATE_VM:
            assert not any(need.startswith("create vm") for need in step.needs)
        if step.verb is Verb.CONFIGURE_INSTANCE:
            assert not any(need.startswith("configure") for need in step.needs)


def test_a_missing_worker_is_created_and_awaited() -> None:
    plan = plan_deploy(SPEC, with_view("worker/1", vm=None, configured=False, drift=None, ready=False), ABLE)
    assert "create vm worker/1" in ids(plan)
    assert "start worker/1" in ids(plan)
    assert "await worker/1" in ids(plan)
    assert "create vm worker/0" not in ids(plan)


def test_a_half_made_machine_is_completed() -> None:
    worker = SPEC.instances(Role.WORKER)[0]
    observation = with_view("worker/0", vm=machine(worker, VmState.STARTING), configured=False, drift=None)
    step = next(s for s in plan_deploy(SPEC, observation, ABLE).steps if s.id == "create vm worker/0")
    assert step.reason == "its machine is half made"


def test_a_stopped_machine_is_started_again() -> None:
    master = SPEC.instances(Role.MASTER)[0]
    plan = plan_deploy(SPEC, with_view("master/0", vm=machine(master, VmState.STOPPED)), ABLE)
    assert ids(plan)[:2] == ["prepare infrastructure", "reboot vm master/0"]


def test_a_changed_setting_of_masters_restarts_one_after_the_other() -> None:
    drift = Drift(files=("/etc/x",), units=("kube-apiserver.service",))
    views = tuple(
        attrs.evolve(view, drift=drift) if view.instance.role is Role.MASTER else view for view in complete().instances
    )
    plan = plan_deploy(SPEC, complete(instances=views), ABLE)
    second = next(step for step in plan.steps if step.id == "configure master/1")
    assert second.needs == ("await master/0",)
    assert second.effect is Effect.RESTART
    assert second.details == ("kube-apiserver.service",)


def test_units_never_started_are_started_by_the_next_run() -> None:
    plan = plan_deploy(SPEC, with_view("worker/2", drift=Drift(unstarted=("kubelet.service",)), ready=False), ABLE)
    assert ids(plan) == ["start worker/2", "await worker/2"]


def test_a_machine_the_spec_does_not_list_is_taken_away() -> None:
    stranger = machine(Instance(group="worker", index=7, role=Role.WORKER, az="z1"))
    plan = plan_deploy(SPEC, complete(strangers=(stranger,)), ABLE)
    assert ids(plan) == ["ensure endpoints", "drain worker/7", "delete vm worker/7"]


def test_an_etcd_member_whose_disk_survived_gets_a_new_machine() -> None:
    plan = plan_deploy(SPEC, with_view("etcd/2", vm=None, configured=False, drift=None), ABLE)
    assert "create vm etcd/2" in ids(plan)
    assert "create disk etcd/2" not in ids(plan)


def test_a_deploy_killed_between_two_configured_etcd_members_goes_on() -> None:
    plan = plan_deploy(SPEC, with_view("etcd/2", configured=False, drift=Drift(files=("/etc/etcd",))), ABLE)
    assert "configure etcd/2" in ids(plan)


def test_a_cpi_without_disks_is_refused_where_a_group_wants_one() -> None:
    with pytest.raises(ConfigError, match="has no persistent disks and etcd asks for one"):
        plan_deploy(SPEC, nothing(), attrs.evolve(ABLE, disks=False))


def test_an_ingress_on_proxies_needs_a_proxy_group() -> None:
    groups = tuple(group for group in SPEC.instance_groups if group.role is not Role.PROXY)
    spec = attrs.evolve(SPEC, instance_groups=groups)
    with pytest.raises(ConfigError, match="add an instance group with role proxy"):
        plan_deploy(spec, nothing(), ABLE)


def test_instances_are_striped_over_their_azs() -> None:
    group = InstanceGroup(name="worker", role=Role.WORKER, instances=4, azs=("a", "b", "c"))
    assert [member.az for member in group.members()] == ["a", "b", "c", "a"]


def test_the_fingerprint_changes_when_a_machine_goes() -> None:
    assert complete().fingerprint == complete().fingerprint
    assert complete().fingerprint != with_view("worker/0", vm=None).fingerprint


def test_a_plan_prints_every_step_with_its_reason() -> None:
    text = str(plan_deploy(SPEC, with_view("worker/1", vm=None, configured=False, drift=None, ready=False), ABLE))
    assert "create vm worker/1: it has no machine" in text
