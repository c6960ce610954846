"""One operation from lease to end, on the fake cloud: leases between two state directories, and the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import field, frozen

from kubo_sdk import Cluster, Plugins
from kubo_sdk.clients.leases import LeaseRecord, read_lease
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.errors import Cancelled, DeployFailed, LeaseHeld, QuotaExceeded
from kubo_sdk.events import Event, LeaseAwaited, LeaseLost, PlanMade, StepFinished, StepStarted
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.observe import find_machines
from kubo_sdk.steps.access import any_server_client
from kubo_sdk.steps.credentials import read_credentials
from kubo_sdk.testing.fakes import FakeCloud, fake_spec


@frozen(kw_only=True)
class Director:
    """Somebody with a state directory who works on the cluster.  *watch* sees every event."""

    cloud: FakeCloud
    spec: ClusterSpec
    home: Path
    cancel: CancelToken = field(factory=CancelToken)
    events: list[Event] = field(factory=list)
    watch: list[Callable[[Event], None]] = field(factory=list)

    @property
    def cluster(self) -> Cluster:
        return Cluster(
            self.spec,
            plugins=Plugins(self.cloud.plugin(), load_installed=False),
            clock=self.cloud.clock,
            state_dir=self.home,
            cache_dir=self.home.parent / "cache",
            observers=[self.events.append, *self.watch],
            cancel=self.cancel,
        )

    def kinds(self) -> set[type[Event]]:
        return {type(event) for event in self.events}

    def lease(self) -> LeaseRecord | None:
        providers = self.cluster.providers
        state = find_machines(self.spec, providers)
        read_credentials(providers.credential_store, self.spec, state)
        return read_lease(any_server_client(self.spec, state))


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made


@pytest.fixture
def directors(cloud: FakeCloud, tmp_path: Path) -> tuple[Director, Director]:
    spec = fake_spec(tmp_path / "release")
    return Director(cloud=cloud, spec=spec, home=tmp_path / "a"), Director(cloud=cloud, spec=spec, home=tmp_path / "b")


def test_a_first_deploy_takes_the_lease_once_the_api_is_up_and_gives_it_back(directors) -> None:
    first, _ = directors
    holders: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "await worker/0":
            record = first.lease()
            holders.append(record.holder if record else "")

    first.watch.append(look)
    first.cluster.deploy()
    (holder,) = holders
    record = first.lease()
    assert holder
    assert record is not None
    assert (record.holder, record.operation) == ("", "deploy")
    assert not [thread for thread in threading.enumerate() if thread.name == "kubo-lease"]


def test_a_director_that_slept_too_long_finds_its_lease_taken_and_starts_no_step(directors) -> None:
    """The second waits for the first one's lease to run out, and gets it while the first stands still."""
    first, second = directors
    first.cluster.deploy()
    first.cloud.machines["worker/1"].kill()
    taken, seen = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if isinstance(event, PlanMade):
            taken.set()
            seen.wait(60)

    def stand_still(event: Event) -> None:
        if isinstance(event, PlanMade):
            thread.start()
            taken.wait(60)

    second.watch.append(hold)
    thread = threading.Thread(target=second.cluster.deploy)
    first.watch.append(stand_still)
    first.events.clear()
    try:
        with pytest.raises(LeaseHeld, match="stopped between two steps: cluster kubo/fakes is being worked on by"):
            first.cluster.deploy()
    finally:
        seen.set()
        thread.join()
    assert StepFinished not in first.kinds()
    assert LeaseLost in first.kinds()
    assert LeaseAwaited in second.kinds()
    assert not first.cancel.is_cancelled
    assert first.cluster.tasks()[-1].result == "failed"
    assert second.cluster.tasks()[-1].result == "done"


def test_a_director_that_slept_through_anothers_whole_work_does_not_go_on_with_its_old_plan(directors) -> None:
    first, second = directors
    first.cluster.deploy()
    first.cloud.machines["worker/1"].kill()
    thread = threading.Thread(target=second.cluster.deploy)

    def stand_still(event: Event) -> None:
        if isinstance(event, PlanMade):
            thread.start()
            thread.join()

    first.watch.append(stand_still)
    first.events.clear()
    with pytest.raises(
        LeaseHeld, match="another director worked on cluster kubo/fakes meanwhile; run the same command"
    ):
        first.cluster.deploy()
    assert StepFinished not in first.kinds()
    assert second.cluster.tasks()[-1].result == "done"


def test_a_failed_deploy_and_the_one_after_it_are_two_tasks(directors) -> None:
    first, _ = directors
    first.cloud.faults.fail("cpi.create_vm", call=1, error=QuotaExceeded("the cloud is full; make room"))
    with pytest.raises(DeployFailed):
        first.cluster.deploy()
    first.cluster.deploy()
    failed, done = first.cluster.tasks()
    assert (failed.number, failed.result, done.number, done.result) == (1, "failed", 2, "done")
    assert "create vm" in failed.error
    (bad,) = (step for step in first.cluster.task(1).steps if step.error)
    assert (bad.result, bad.reason) == ("failed", "it has no machine")
    assert {step.result for step in first.cluster.task(2).steps} == {"done"}


def test_a_cancelled_operation_says_so_and_releases_the_lease(directors) -> None:
    first, _ = directors
    first.cluster.deploy()
    first.cloud.machines["worker/1"].kill()
    first.watch.append(lambda event: first.cancel.cancel("enough") if isinstance(event, StepStarted) else None)
    with pytest.raises(Cancelled, match="stopped: enough; run the same command again to go on"):
        first.cluster.deploy()
    assert first.cluster.tasks()[-1].result == "cancelled"
    assert first.lease().holder == ""


def test_a_deletion_ends_with_the_api_gone_and_nothing_left(directors) -> None:
    first, _ = directors
    first.cluster.deploy()
    first.cluster.delete()
    assert not first.home.exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "kubo-lease"]


def test_disks_that_stayed_bring_no_dead_lease_back(directors) -> None:
    first, _ = directors
    first.cluster.deploy()
    first.cluster.delete(keep_disks=True)
    first.cluster.deploy()
    assert LeaseAwaited not in first.kinds()
    assert [task.operation for task in first.cluster.tasks()] == ["deploy", "delete", "deploy"]


def test_a_monitor_may_run_many_operations_without_its_token_growing(directors) -> None:
    first, _ = directors
    for _ in range(3):
        first.cluster.deploy()
    assert len(first.cancel._children) == 0
