"""Worlds to plan from: clusters of any shape as an observation tells of them, and what a plan would do to etcd."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, KubernetesSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.planning.abilities import Abilities
from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.planning.observation import Drift, InstanceView, Observation
from kubo_sdk.planning.plan import Plan, Verb
from kubo_sdk.ports.cpi import Disk, Vm, VmState

ABLE = Abilities(disks=True, shares_trees=True, runs_on_proxies=True)
RECORD = {"bootstrap": "1", "etcd-access": "2"}
GONE: dict[str, Any] = {"vm": None, "configured": False, "drift": None, "ready": False, "units": ()}
SILENT: dict[str, Any] = {"reachable": False, "configured": False, "drift": None, "ready": False, "units": ()}


def spec_of(etcd: int = 3, master: int = 2, worker: int = 3, proxy: int = 1) -> ClusterSpec:
    shape = ((Role.ETCD, etcd), (Role.MASTER, master), (Role.WORKER, worker), (Role.PROXY, proxy))
    return ClusterSpec(
        name="c",
        kubernetes=KubernetesSpec(version=KubernetesVersion.parse("1.20.2")),
        instance_groups=tuple(
            InstanceGroup(
                name=role.value, role=role, instances=count, persistent_disk_mb=1024 if role is Role.ETCD else 0
            )
            for role, count in shape
        ),
    )


def instance_of(name: str) -> Instance:
    group, index = name.split("/")
    return Instance(group=group, index=int(index), role=Role(group), az="z1")


def machine(name: str, state: VmState = VmState.RUNNING) -> Vm:
    instance = instance_of(name)
    return Vm(
        id=f"vm-{instance.slug}",
        cluster=spec_of().id,
        instance=name,
        token=instance.slug,
        state=state,
        address="10.0.0.2",
        az="z1",
        provider_id="",
        tags=(("role", str(instance.role)),),
    )


def disk(name: str) -> Disk | None:
    slug = instance_of(name).slug
    if not name.startswith("etcd/"):
        return None
    return Disk(id=f"disk-{slug}", cluster=spec_of().id, instance=name, token="t", size_mb=1)


def members(*names: str, unhealthy: Sequence[str] = ()) -> tuple[EtcdMemberView, ...]:
    return tuple(
        EtcdMemberView(
            id=place + 1,
            name=instance_of(name).slug,
            peer_urls=(f"https://{instance_of(name).slug}.c.kubo.internal:2380",),
            healthy=name not in unhealthy,
            leader=place == 0,
        )
        for place, name in enumerate(names)
    )


def settled(name: str) -> InstanceView:
    units = ("kubelet.service",) if name.startswith("worker/") else ("unit.service",)
    return InstanceView(
        instance=instance_of(name),
        vm=machine(name),
        disk=disk(name),
        configured=True,
        drift=Drift(),
        ready=True,
        units=units,
    )


def world(wished: ClusterSpec, there: ClusterSpec, **views: dict[str, Any]) -> Observation:
    """The cluster *there* is, looked at with the wish *wished*; *views* change single instances, by slug."""
    names = [instance.id for instance in there.instances()]
    listed = [instance.id for instance in wished.instances()]
    seen = tuple(
        attrs.evolve(
            settled(name) if name in names else InstanceView(instance=instance_of(name)),
            **views.get(name.replace("/", "_"), {}),
        )
        for name in listed
    )
    strangers = [name for name in names if name not in listed]
    return Observation(
        instances=seen,
        strangers=tuple(machine(name) for name in strangers),
        stray_disks=tuple(found for name in strangers if (found := disk(name))),
        release_cached=True,
        endpoints_current=True,
        api_ready=True,
        credentials=tuple(f"etcd-server-{each.slug}" for each in there.instances(Role.ETCD)),
        recorded=RECORD,
        wished=RECORD,
        members=members(*(each.id for each in there.instances(Role.ETCD))),
        unknown=tuple(view.instance.id for view in seen if view.vm is None),
        nodes=tuple(each.slug for each in there.instances(Role.WORKER)),
    )


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def step_of(plan: Plan, step_id: str) -> Any:
    return next(step for step in plan.steps if step.id == step_id)


def before(plan: Plan, step_id: str) -> set[str]:
    """Everything that must have ended before that step starts."""
    needs = {step.id: step.needs for step in plan.steps}
    found: set[str] = set()
    open_ends = [step_id]
    while open_ends:
        for need in needs[open_ends.pop()]:
            if need not in found:
                found.add(need)
                open_ends.append(need)
    return found


def absences(plan: Plan, voters: Iterable[str]) -> list[tuple[str, str]]:
    """(first step, last step) of each time in which a member that served does not, or is given up."""
    found = []
    for name in voters:
        steps = [step for step in plan.steps if step.instance == name]
        gone = [step.id for step in steps if step.verb is Verb.REMOVE_MEMBER]
        back = [step.id for step in steps if step.verb is Verb.AWAIT_INSTANCE]
        away = [step.id for step in steps if step.verb is Verb.DELETE_VM or step.effect == "restart"]
        if gone:
            found.append((gone[0], gone[0]))
        elif away:
            found.append((away[0], back[0]))
    return found


def worst_majorities(plan: Plan, voters: dict[str, bool]) -> Iterable[tuple[str, int, int]]:
    """(step, how many voters serve, how many there are) along the plan, where every member stops as early and comes
    back as late as the needs of the steps allow.
    """
    serving = dict(voters)
    for step in plan.steps:
        name = step.instance or ""
        if not name.startswith("etcd/"):
            continue
        if step.verb is Verb.REMOVE_MEMBER:
            serving.pop(name, None)
        elif step.verb is Verb.PROMOTE_MEMBER:
            serving[name] = False
        elif step.verb is Verb.AWAIT_INSTANCE and name in serving:
            serving[name] = True
        elif name in serving and (step.verb is Verb.DELETE_VM or step.effect == "restart"):
            serving[name] = False
        yield step.id, sum(serving.values()), len(serving)
