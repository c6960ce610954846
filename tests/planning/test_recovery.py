"""After the majority is lost: who goes on, who starts anew, and what is refused."""

from __future__ import annotations

import attrs
import pytest

from kubo_sdk.errors import NotFound, UnsafePlan
from kubo_sdk.planning.observation import Observation
from kubo_sdk.planning.plan import Plan, Verb
from kubo_sdk.planning.recovery import plan_recovery, survivor_of

from .worlds import GONE, SILENT, members, spec_of, world

SPEC = spec_of()
UNITS = {
    "master": ("kube-apiserver.service", "kube-scheduler.service"),
    "worker": ("kubelet.service", "kube-proxy.service"),
}


def lost(**views: object) -> Observation:
    """etcd/1 and etcd/2 are gone with their disks."""
    gone = {**GONE, "disk": None}
    observation = world(SPEC, SPEC, **{"etcd_1": gone, "etcd_2": gone, **views})  # type: ignore[arg-type]
    instances = tuple(
        attrs.evolve(view, units=UNITS.get(view.instance.group, view.units)) if view.is_serving else view
        for view in observation.instances
    )
    return attrs.evolve(observation, instances=instances, members=None, api_ready=False)


def restarted(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {str(step.instance): step.details for step in plan.steps if step.verb is Verb.RESTART_UNITS}


def test_everybody_who_remembers_starts_everything_anew_workers_last() -> None:
    plan = plan_recovery(SPEC, lost(), None, heard={}, force=True)
    assert survivor_of(plan) == "etcd/0"
    masters = {f"master/{place}": UNITS["master"] for place in range(2)}
    workers = {f"worker/{place}": UNITS["worker"] for place in range(3)}
    assert restarted(plan) == masters | workers
    needs = {step.id: step.needs for step in plan.steps}
    assert needs["restart units master/0"] == ("recover member etcd/0",)
    assert set(needs["restart units worker/0"]) == {"await master/0", "await master/1"}


def test_who_was_stopped_or_does_not_answer_is_left_alone() -> None:
    plan = plan_recovery(SPEC, lost(worker_0=SILENT), None, heard={}, force=True, leave=("master/1", "worker/2"))
    assert sorted(restarted(plan)) == ["master/0", "worker/1"]


def test_what_would_be_lost_must_be_asked_for() -> None:
    with pytest.raises(UnsafePlan, match=r"gives up what only etcd/1, etcd/2 of cluster .* --force"):
        plan_recovery(SPEC, lost(), None, heard={}, force=False)
    with pytest.raises(NotFound, match="no machine of etcd/1"):
        plan_recovery(SPEC, lost(), "etcd/1", heard={}, force=True)


def test_one_that_was_cut_off_goes_on_without_being_asked_again() -> None:
    alone = attrs.evolve(lost(), members=members("etcd/0"))
    for observation in (lost(), alone):
        assert survivor_of(plan_recovery(SPEC, observation, None, heard={}, force=False, begun="etcd/0")) == "etcd/0"


def test_where_a_majority_serves_nothing_is_given_up_silently() -> None:
    served = attrs.evolve(lost(), members=members("etcd/0", "etcd/1", "etcd/2"))
    with pytest.raises(UnsafePlan, match="nothing to recover"):
        plan_recovery(SPEC, served, None, heard={}, force=True)
    with pytest.raises(UnsafePlan, match=r"serves with a majority again, .* what etcd/1, etcd/2 stored meanwhile"):
        plan_recovery(SPEC, served, None, heard={}, force=False, begun="etcd/0")
