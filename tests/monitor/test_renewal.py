"""Certificates get new versions before they end, one master and one etcd member at a time; authorities never do."""

from __future__ import annotations

from collections.abc import Callable

from kubo_sdk.events import RepairDecided, StepFinished, StepStarted
from kubo_sdk.planning.problems import ProblemType
from kubo_sdk.planning.resolutions import Resolution
from kubo_sdk.testing.fakes import sized

from .ward import Ward

DAY = 86400.0


def versions(ward: Ward) -> dict[str, str]:
    """The newest version of every certificate, by leaf."""
    root = ward.spec.id.credential("")
    found = ward.cluster.providers.credential_store.find(root.rstrip("/"))
    return {each.name.removeprefix(root): each.version for each in found if each.expires_at}


def small(admit: Callable[..., Ward]) -> Ward:
    return admit(instance_groups=sized(etcd=3, master=2, worker=1, proxy=0))


def test_nothing_is_renewed_before_its_time(admit: Callable[..., Ward]) -> None:
    ward = small(admit)
    ward.cloud.clock.advance(300 * DAY)
    assert ward.cluster.check() == ()
    assert ward.cluster.plan().is_empty


def test_a_deploy_renews_what_is_due_and_the_next_finds_nothing_to_do(admit: Callable[..., Ward]) -> None:
    ward = small(admit)
    before = versions(ward)
    ward.cloud.clock.advance(340 * DAY)
    assert {problem.type for problem in ward.cluster.check()} == {ProblemType.EXPIRED_CERTIFICATE}
    ward.cluster.deploy()
    after = versions(ward)
    assert {leaf for leaf in before if before[leaf] == after[leaf]} == {"ca", "etcd-ca", "front-proxy-ca"}
    assert ward.cluster.plan().is_empty
    assert ward.cluster.check() == ()


def test_the_monitor_renews_one_member_and_one_master_at_a_time(admit: Callable[..., Ward]) -> None:
    ward = small(admit)
    machines = dict(ward.cloud.machines)
    ward.cloud.clock.advance(364 * DAY)
    assert ward.heal() == ()
    assert {event.resolution for event in ward.told(RepairDecided)} == {Resolution.RENEW}
    assert dict(ward.cloud.machines) == machines
    for group in ("etcd", "master"):
        assert never_two_at_once(ward, group)


def never_two_at_once(ward: Ward, group: str) -> bool:
    """Whether no other of *group* was configured before the last one was awaited."""
    busy = ""
    for event in ward.events:
        if not isinstance(event, StepStarted | StepFinished) or not (event.instance or "").startswith(group):
            continue
        if isinstance(event, StepStarted) and event.step.startswith("configure"):
            if busy:
                return False
            busy = event.instance or ""
        elif isinstance(event, StepFinished) and event.step == f"await {busy}":
            busy = ""
    return True
