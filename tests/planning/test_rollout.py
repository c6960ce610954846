"""What a change of running machines plans: few at a time, canaries first, AZ by AZ, and new machines never held up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec, InFlight, UpdateSpec
from kubo_sdk.planning.deploy import plan_deploy
from kubo_sdk.planning.observation import Drift, Observation
from kubo_sdk.planning.plan import Effect, Plan, Verb
from kubo_sdk.planning.repair import Repair
from kubo_sdk.planning.rollout import batches

from .worlds import ABLE, GONE, before, ids, spec_of, step_of, world

UNITS = {
    Role.ETCD: "etcd.service",
    Role.MASTER: "kube-apiserver.service",
    Role.WORKER: "kubelet.service",
    Role.PROXY: "kubo-haproxy.service",
}


def spec(update: UpdateSpec, azs: tuple[str, ...] = ("z1", "z2"), **counts: int) -> ClusterSpec:
    """The seed's shape over these AZs, with two worker groups."""
    plain = spec_of(**counts)
    groups = [attrs.evolve(group, azs=azs) for group in plain.instance_groups]
    return attrs.evolve(plain, instance_groups=tuple(groups), update=update)


def changed(wished: ClusterSpec, there: ClusterSpec | None = None, **views: dict[str, Any]) -> Observation:
    """Every running machine has a setting that differs; *views* change single instances."""
    seen = world(wished, there or wished, **views)
    told = (_changed(wished, view) for view in seen.instances)
    return attrs.evolve(seen, instances=tuple(told))


def _changed(wished: ClusterSpec, view: Any) -> Any:
    instance = wished.instance(view.instance.id)
    assert instance is not None
    drift = Drift(files=("/etc/x",), units=(UNITS[instance.role],)) if view.exists else view.drift
    return attrs.evolve(view, instance=instance, drift=drift)


def runs(plan: Plan, order: Any) -> Iterator[tuple[set[str], list[str]]]:
    """Run *plan* as unluckily as its needs allow: everything starts as early and comes back as late as can be.

    Yields who is away at each standstill, and who was disturbed so far, in the order of it.
    """
    waiting = {step.id: step for step in plan.steps}
    done: set[str] = set()
    away: set[str] = set()
    disturbed: list[str] = []
    while waiting:
        ready = [step for step in waiting.values() if done.issuperset(step.needs)]
        assert ready, "the plan waits for itself"
        busy = [step for step in ready if step.verb is not Verb.AWAIT_INSTANCE]
        for step in busy:
            if step.effect is Effect.RESTART:
                away.add(str(step.instance))
                disturbed.append(str(step.instance))
        if not busy:
            yield set(away), list(disturbed)
            busy = [order(ready)]
            away.discard(str(busy[0].instance))
        for step in busy:
            done.add(step.id)
            del waiting[step.id]
    yield set(away), list(disturbed)


def waits_for(plan: Plan, step_id: str) -> set[str]:
    """The other workers whose change that step waits for."""
    verbs = (Verb.CONFIGURE_INSTANCE, Verb.AWAIT_INSTANCE)
    own = str(step_of(plan, step_id).instance)
    steps = (step_of(plan, need) for need in before(plan, step_id))
    return {str(step.instance) for step in steps if step.verb in verbs and "worker/" in step.id} - {own}


EVERYBODY = InFlight(number=100, percent=True)

shapes = st.fixed_dictionaries(
    {
        "worker": st.integers(1, 9),
        "azs": st.sampled_from([("z1",), ("z1", "z2"), ("z1", "z2", "z3")]),
        "canaries": st.integers(0, 4),
        "in_flight": st.one_of(
            st.integers(1, 5).map(lambda n: InFlight(number=n)), st.just(InFlight(number=100, percent=True))
        ),
    }
)


@settings(max_examples=40, deadline=None)
@given(shape=shapes, data=st.data())
def test_a_change_of_everything_disturbs_few_at_a_time_in_the_right_order(shape: dict[str, Any], data: Any) -> None:
    update = UpdateSpec(canaries=shape["canaries"], max_in_flight=shape["in_flight"])
    wished = spec(update, shape["azs"], worker=shape["worker"], proxy=2)
    az = {instance.id: instance.az for instance in wished.instances()}
    most = update.max_in_flight.of(shape["worker"])
    plan = plan_deploy(wished, changed(wished), ABLE)
    standstills = list(runs(plan, lambda steps: data.draw(st.sampled_from(steps))))
    for away, _ in standstills:
        workers = {name for name in away if name.startswith("worker/")}
        assert len(workers) <= most
        assert len({az[name] for name in workers}) <= 1
        assert len(away) <= 1 or workers == away
    order = standstills[-1][1]
    assert sorted(order) == sorted(each.id for each in wished.instances())
    roles = [name.partition("/")[0] for name in order]
    assert roles == sorted(roles, key=["etcd", "master", "proxy", "worker"].index)
    seen = [az[name] for name in order if name.startswith("worker/")]
    assert list(dict.fromkeys(seen)) == [zone for zone in shape["azs"] if zone in seen]
    assert all(seen[place] == zone for place, zone in enumerate(sorted(seen)))


@settings(max_examples=40, deadline=None)
@given(shape=shapes, down=st.sets(st.integers(0, 8)), lost=st.sets(st.integers(0, 8)), data=st.data())
def test_who_is_down_already_counts(shape: dict[str, Any], down: set[int], lost: set[int], data: Any) -> None:
    update = UpdateSpec(canaries=shape["canaries"], max_in_flight=shape["in_flight"])
    wished = spec(update, shape["azs"], worker=shape["worker"])
    gone = {f"worker/{place}" for place in lost if place < shape["worker"]}
    sick = {f"worker/{place}" for place in down if place < shape["worker"]} - gone
    views = {name.replace("/", "_"): {"ready": False} for name in sick} | {n.replace("/", "_"): GONE for n in gone}
    plan = plan_deploy(wished, changed(wished, **views), ABLE)
    for worker in wished.instances(Role.WORKER):
        if worker.id in gone:
            assert not waits_for(plan, f"start {worker.id}")
        elif worker.id not in sick:
            assert sick | gone <= waits_for(plan, f"configure {worker.id}")
        else:
            assert not waits_for(plan, f"configure {worker.id}")
    for _ in runs(plan, lambda steps: data.draw(st.sampled_from(steps))):
        pass


@given(
    azs=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True),
    count=st.integers(0, 20),
    canaries=st.integers(0, 5),
    most=st.integers(1, 6),
)
def test_every_instance_is_in_one_batch_canaries_first(azs: list[str], count: int, canaries: int, most: int) -> None:
    update = UpdateSpec(canaries=canaries, max_in_flight=InFlight(number=most))
    (group,) = (
        group for group in spec(update, tuple(azs), worker=max(count, 1)).instance_groups if group.name == "worker"
    )
    members = group.members()[:count]
    found = batches(group, members, update)
    assert sorted(name for batch in found for name in batch.instances) == sorted(each.id for each in members)
    assert [batch.canary for batch in found] == sorted((batch.canary for batch in found), reverse=True)
    in_first = sum(each.az == azs[0] for each in members)
    assert sum(len(batch.instances) for batch in found if batch.canary) == min(canaries, in_first)
    assert all(0 < len(batch.instances) <= most for batch in found)


def test_new_machines_are_not_held_up_by_the_change_of_running_ones() -> None:
    update = UpdateSpec()
    wished, there = spec(update, worker=5), spec(update, worker=3)
    plan = plan_deploy(wished, changed(wished, there), ABLE)
    for name in ("worker/3", "worker/4"):
        assert not waits_for(plan, f"await {name}")
        assert name not in waits_for(plan, "configure worker/2")


def test_one_group_of_workers_changes_after_the_other() -> None:
    update = UpdateSpec()
    plain = spec(update, worker=2)
    more = attrs.evolve(plain.group("worker"), name="gpu")
    wished = attrs.evolve(plain, instance_groups=(*plain.instance_groups, more))
    seen = world(plain, plain)
    views = {view.instance.id: view for view in seen.instances}
    twins = (attrs.evolve(views[f"worker/{place}"], instance=more.member(place)) for place in range(2))
    observation = attrs.evolve(seen, instances=(*seen.instances, *twins))
    told = tuple(_changed(wished, view) for view in observation.instances)
    plan = plan_deploy(wished, attrs.evolve(observation, instances=told), ABLE)
    assert {"await worker/0", "await worker/1"} <= before(plan, "configure gpu/0")
    assert "await gpu/0" in before(plan, "configure gpu/1")


def test_the_first_that_does_not_come_back_leaves_all_others_as_they_are() -> None:
    wished = spec(UpdateSpec(max_in_flight=InFlight(number=2)), worker=6)
    plan = plan_deploy(wished, changed(wished), ABLE)
    others = [step for step in ids(plan) if step.startswith("configure worker/") and step != "configure worker/0"]
    assert all("await worker/0" in before(plan, step) for step in others)
    assert step_of(plan, "await worker/0").details == ("kubelet.service",)
    assert "before the others change" in step_of(plan, "await worker/0").reason


def test_what_restarts_nobody_is_told_to_all_at_once() -> None:
    wished = spec(UpdateSpec(), worker=6)
    views = {f"worker_{place}": {"drift": Drift(files=("/etc/hosts",))} for place in range(6)}
    plan = plan_deploy(wished, world(wished, wished, **views), ABLE)
    assert len(plan.steps) == 6
    assert all(step.effect is Effect.CHANGE and not step.needs for step in plan.steps)


def test_running_workers_change_after_the_one_that_is_replaced_is_back() -> None:
    wished = spec(UpdateSpec(), worker=3)
    plan = plan_deploy(wished, changed(wished), ABLE, Repair(replace=("worker/2",)))
    assert "await worker/2" in before(plan, "configure worker/0")


def test_without_the_api_nobody_is_taken_for_down() -> None:
    wished = spec(UpdateSpec(), worker=3)
    views: dict[str, Any] = {f"worker_{place}": {"ready": False} for place in range(3)}
    seen = attrs.evolve(changed(wished, **views), api_ready=False, nodes=())
    plan = plan_deploy(wished, seen, ABLE)
    assert "await worker/0" in before(plan, "configure worker/2")
