"""What is diagnosed: from facts to problems, causes before symptoms."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from kubo_sdk.planning.diagnosis import diagnose, lost_quorum
from kubo_sdk.planning.health import HealthReport, Source, Verdict
from kubo_sdk.planning.problems import ON_REQUEST, RUNGS, Problem, ProblemType
from kubo_sdk.planning.resolutions import SENTENCES, Resolution

from .reports import SPEC, changed, dead_unit, healthy, machine, member, missing, node, off, saying, silent

WELL = healthy()


def found(report: HealthReport) -> list[str]:
    return [problem.id for problem in diagnose(report, SPEC)]


def only(report: HealthReport) -> Problem:
    (problem,) = diagnose(report, SPEC)
    return problem


def test_a_healthy_cluster_has_no_problems() -> None:
    assert not diagnose(WELL, SPEC)


@pytest.mark.parametrize("instance", ["etcd/0", "master/1", "worker/2", "proxy/0"])
def test_a_missing_machine_hides_what_follows_from_it(instance: str) -> None:
    assert found(missing(WELL, instance)) == [f"missing_vm:{instance}"]
    assert found(silent(WELL, instance)) == [f"unresponsive_machine:{instance}"]
    assert found(off(WELL, instance)) == [f"stopped_vm:{instance}"]


def test_a_dead_unit_hides_the_node_that_is_not_ready() -> None:
    problem = only(dead_unit(WELL, "worker/1", "kubelet.service", "containerd.service"))
    assert problem.id == "failed_unit:worker/1"
    assert problem.details == ("kubelet.service", "containerd.service")
    assert problem.default is Resolution.RESTART_UNITS


def test_units_that_are_still_starting_are_no_problem_and_neither_is_what_waits_for_them() -> None:
    starting = saying(WELL, "master/0", Source.UNITS, Verdict.UNKNOWN, "starting", "kube-apiserver.service")
    assert not found(saying(starting, "master/0", Source.API, Verdict.BAD))


def test_a_machine_that_carries_nothing_is_configured() -> None:
    problem = only(saying(WELL, "worker/0", Source.UNITS, Verdict.BAD, "not configured"))
    assert (problem.type, problem.default) == (ProblemType.UNCONFIGURED_MACHINE, Resolution.CONFIGURE)


def test_a_machine_that_does_not_finish_booting_is_unresponsive() -> None:
    assert found(saying(WELL, "worker/0", Source.UNITS, Verdict.BAD, "booting for 130 s")) == [
        "unresponsive_machine:worker/0"
    ]


def test_a_stuck_api_server_a_dead_member_and_a_node_that_is_not_ready_are_told_by_their_own_names() -> None:
    assert found(saying(WELL, "master/0", Source.API, Verdict.BAD)) == ["api_server_stuck:master/0"]
    assert found(saying(WELL, "etcd/1", Source.ETCD, Verdict.BAD)) == ["etcd_member_down:etcd/1"]
    assert found(saying(WELL, "worker/2", Source.NODE, Verdict.BAD)) == ["node_not_ready:worker/2"]


def test_a_machine_without_its_node_and_a_node_without_its_machine_are_two_things() -> None:
    nodes = tuple(each for each in WELL.nodes or () if each.instance != "worker-0")
    without = attrs.evolve(saying(WELL, "worker/0", Source.NODE, Verdict.BAD), nodes=nodes)
    assert found(without) == ["machine_without_node:worker/0"]
    stale = attrs.evolve((WELL.nodes or ())[0], name="old", provider_id="fake://gone")
    assert found(attrs.evolve(WELL, nodes=(*(WELL.nodes or ()), stale))) == ["node_without_machine:old"]


def test_the_node_of_a_missing_machine_is_no_problem_of_its_own() -> None:
    assert found(missing(WELL, "worker/0")) == ["missing_vm:worker/0"]


def test_a_node_of_nobody_we_know_is_left_alone_and_one_of_a_former_instance_is_not() -> None:
    stranger = attrs.evolve((WELL.nodes or ())[0], name="guest", instance="")
    former = attrs.evolve((WELL.nodes or ())[0], name="former", instance="worker-9")
    assert found(attrs.evolve(WELL, nodes=(*(WELL.nodes or ()), stranger, former))) == ["node_without_machine:former"]


def test_nodes_are_not_judged_while_the_api_is_away() -> None:
    away = attrs.evolve(saying(WELL, "worker/0", Source.NODE, Verdict.BAD), api_ready=False, nodes=None)
    assert not found(away)


def test_a_lost_quorum_is_named_and_hides_the_api_servers_that_wait_for_it() -> None:
    report = missing(WELL, "etcd/0", "etcd/1")
    report = saying(saying(report, "master/0", Source.API, Verdict.BAD), "etcd/2", Source.ETCD, Verdict.BAD)
    report = attrs.evolve(report, members=None, api_ready=False, nodes=None)
    assert lost_quorum(report)
    assert found(report) == ["missing_vm:etcd/0", "missing_vm:etcd/1", "quorum_lost:etcd"]
    lost = diagnose(report, SPEC)[-1]
    assert "etcd/0, etcd/1, etcd/2" in lost.sentence
    assert lost.resolutions == (Resolution.IGNORE,)


def test_a_cluster_that_was_never_made_has_no_quorum_to_lose() -> None:
    nothing = missing(WELL, *(instance.id for instance in SPEC.instances()))
    assert not lost_quorum(attrs.evolve(nothing, members=None))


def test_members_that_all_run_and_find_no_majority_are_down_themselves() -> None:
    report = WELL
    for index in range(3):
        report = saying(report, f"etcd/{index}", Source.ETCD, Verdict.BAD)
    report = attrs.evolve(report, members=None)
    assert "etcd_member_down:etcd/0" in found(report)


def test_corrupt_data_may_be_given_up_and_a_full_member_needs_a_person() -> None:
    def alarmed(alarm: str) -> HealthReport:
        return attrs.evolve(
            WELL,
            members=tuple(attrs.evolve(each, alarms=(alarm,) if each.id == 1 else ()) for each in WELL.members or ()),
        )

    corrupt, full = only(alarmed("CORRUPT")), only(alarmed("NOSPACE"))
    assert (corrupt.type, corrupt.default) == (ProblemType.ETCD_MEMBER_CORRUPT, Resolution.RECREATE_EMPTY)
    assert not corrupt.destroys(Resolution.RECREATE_EMPTY)
    assert (full.type, full.default) == (ProblemType.ETCD_ALARM, Resolution.IGNORE)


def test_disks_that_are_gone_detached_elsewhere_unmounted_or_full_are_told_apart() -> None:
    disk = WELL.health("etcd/0").disk
    assert disk is not None
    gone = only(changed(WELL, "etcd/0", disk=None))
    detached = only(changed(WELL, "etcd/0", disk=attrs.evolve(disk, attached_to=None)))
    elsewhere = only(changed(WELL, "etcd/0", disk=attrs.evolve(disk, attached_to="vm-other")))
    unmounted = only(saying(WELL, "etcd/0", Source.DISK, Verdict.BAD, "not mounted"))
    full = only(saying(WELL, "etcd/0", Source.DISK, Verdict.BAD, "full"))
    assert [each.type for each in (gone, detached, elsewhere, unmounted, full)] == [
        ProblemType.MISSING_DISK,
        ProblemType.INACTIVE_DISK,
        ProblemType.INACTIVE_DISK,
        ProblemType.MOUNT_MISMATCH,
        ProblemType.FULL_DISK,
    ]
    assert elsewhere.default is Resolution.IGNORE
    assert "vm-other" in elsewhere.sentence
    assert (detached.default, unmounted.default) == (Resolution.RECREATE, Resolution.REBOOT)
    assert gone.default is Resolution.RECREATE_EMPTY  # The data is gone with the disk; the other members have it.


def test_an_etcd_machine_that_keeps_no_disk_is_never_made_anew_as_if_it_did() -> None:
    without = changed(
        WELL, "etcd/0", disk=None, facts=tuple(f for f in WELL.health("etcd/0").facts if f.source != "disk")
    )
    silent_one = only(silent(without, "etcd/0"))
    assert Resolution.RECREATE not in silent_one.resolutions
    assert silent_one.destroys(Resolution.RECREATE_EMPTY)
    assert not only(missing(without, "etcd/0")).destroys(Resolution.RECREATE_EMPTY)


def test_what_nobody_owns_is_told_and_left() -> None:
    stray = attrs.evolve(machine(SPEC.instances()[-1]), id="vm-stray", instance="worker/7")
    disk = attrs.evolve(WELL.health("etcd/0").disk, id="disk-stray", instance="etcd/7")  # type: ignore[type-var]
    lost = attrs.evolve(member(SPEC.instances()[0], 8), name="etcd-7")
    report = attrs.evolve(WELL, strangers=(stray,), stray_disks=(disk,), members=(*(WELL.members or ()), lost))
    problems = diagnose(report, SPEC)
    assert [each.id for each in problems] == [
        "etcd_member_without_machine:etcd-7",
        "stray_vm:vm-stray",
        "stray_disk:disk-stray",
    ]
    assert [each.default for each in problems] == [Resolution.REMOVE_MEMBER, Resolution.IGNORE, Resolution.IGNORE]
    assert problems[2].destroys(Resolution.DELETE_DISK)


def test_a_member_that_has_no_name_yet_is_known_by_its_address_and_no_leftover() -> None:
    def nameless(host: str) -> HealthReport:
        joining = attrs.evolve(
            member(SPEC.instances()[0], 8), name="", learner=True, peer_urls=(f"https://{host}.c.kubo.internal:2380",)
        )
        return attrs.evolve(WELL, members=(*(WELL.members or ()), joining))

    assert not found(nameless("etcd-2"))
    assert found(nameless("etcd-7")) == ["etcd_member_without_machine:etcd-7"]


def test_the_member_of_a_machine_that_is_to_leave_is_no_leftover_yet() -> None:
    leaving = attrs.evolve(member(SPEC.instances()[0], 8), name="etcd-7")
    stranger = attrs.evolve(machine(SPEC.instances()[0]), id="vm-7", instance="etcd/7")
    report = attrs.evolve(WELL, members=(*(WELL.members or ()), leaving), strangers=(stranger,))
    assert found(report) == ["stray_vm:vm-7"]


def test_an_expired_certificate_needs_a_person_and_one_that_holds_is_not_mentioned() -> None:
    ended = ("admin", WELL.at - timedelta(hours=1))
    problem = only(attrs.evolve(WELL, expiries=(ended, ("ca", WELL.at + timedelta(days=100)))))
    assert (problem.id, problem.default) == ("expired_certificate:admin", Resolution.IGNORE)


def test_a_certificate_that_is_due_is_renewed_and_an_authority_that_ends_soon_is_told_only() -> None:
    soon = WELL.at + timedelta(days=20)
    renewable = attrs.evolve(WELL, expiries=(("admin", soon),), renewals=(("admin", WELL.at),))
    assert only(renewable).default is Resolution.RENEW
    assert not found(attrs.evolve(renewable, renewals=(("admin", soon),)))
    assert only(attrs.evolve(WELL, expiries=(("etcd-ca", soon),))).default is Resolution.IGNORE


def test_what_was_stopped_on_purpose_has_no_problems_and_neither_has_its_node() -> None:
    report = attrs.evolve(off(WELL, "worker/0"), stopped=("worker/0",))
    down = tuple(attrs.evolve(each, ready=False) for each in WELL.nodes or ())
    assert not found(attrs.evolve(report, nodes=down))


def test_what_is_paused_still_has_its_problems() -> None:
    assert found(attrs.evolve(missing(WELL, "worker/0"), paused=("worker/0",))) == ["missing_vm:worker/0"]


@pytest.mark.parametrize("kind", list(ProblemType))
def test_every_type_can_be_ignored_and_never_destroys_by_default(kind: ProblemType) -> None:
    problem = Problem(type=kind, subject="x", sentence="it is ill")
    assert Resolution.IGNORE in problem.resolutions
    assert not problem.destroys(problem.default)
    assert set(problem.resolutions) == {Resolution.IGNORE, *RUNGS.get(kind, ()), *ON_REQUEST.get(kind, ())}


def test_every_resolution_says_what_it_does() -> None:
    assert set(SENTENCES) == set(Resolution)


def test_ids_are_unique_and_sentences_name_the_instance() -> None:
    report = missing(silent(WELL, "worker/0"), "worker/1", "master/0")
    problems = diagnose(report, SPEC)
    assert len({each.id for each in problems}) == len(problems)
    assert all(each.sentence.startswith(each.instance) for each in problems)
    assert node(SPEC.instances()[-2]).name not in str(problems)
