"""A machine that does not come back with another release gets what it had before, whoever was killed in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from kubo_sdk.errors import DeployFailed
from kubo_sdk.model.spec import UpdateSpec
from kubo_sdk.testing.fakes import DirectorKilled, FakeCloud, sized

from .upgrades import Upgraded, upgraded

# More than an upgrade of so small a cluster makes.
MOST_CALLS = 120


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made


def prepared(home: Path, cloud: FakeCloud, **counts: int) -> Upgraded:
    there = upgraded(home, cloud, "1.30.3", sized(**{"etcd": 3, "master": 2, "worker": 2, "proxy": 1, **counts}))
    there.release("1.31.3")
    there.wish("1.31.3")
    return there


def broken(cloud: FakeCloud, unit: str) -> None:
    cloud.broken_programs.add((unit, "/1.31.3"))


@pytest.mark.parametrize(
    ("unit", "instance", "before"),
    [
        ("etcd.service", "etcd/0", ()),
        ("kube-apiserver.service", "master/0", ("etcd/0",)),
        ("kube-scheduler.service", "master/0", ("etcd/0",)),
        ("kubelet.service", "worker/0", ("etcd/0", "master/0", "master/1")),
    ],
)
def test_the_first_machine_that_does_not_come_back_is_rolled_back_and_none_after_it_is_touched(
    cloud: FakeCloud, tmp_path: Path, unit: str, instance: str, before: tuple[str, ...]
) -> None:
    there = prepared(tmp_path, cloud, etcd=1)
    broken(cloud, unit)
    with pytest.raises(DeployFailed) as raised:
        there.cluster.upgrade()
    told = str(raised.value)
    assert "\n" not in told
    assert re.search(rf"{instance} did not come back with Kubernetes 1\.31\.3 .*{unit} ended \d times", told)
    assert "was rolled back to 1.30.3" in told
    assert "the same command goes on" in told
    assert {step.split()[1] for step in there.done() if step.startswith("configure")} == {*before, instance}
    view = there.view(instance)
    assert [str(release.kubernetes) for release in view.releases] == ["1.30.3"]
    assert not view.on_trial
    assert cloud.machines[instance].unit_state(unit) == "active"
    assert there.cluster.status().healthy
    cloud.broken_programs.clear()
    there.cluster.upgrade()
    assert there.versions() == ["1.31.3"]
    assert there.cluster.plan().is_empty
    assert there.cluster.status().healthy


def test_a_machine_that_serves_with_neither_release_is_told_of(cloud: FakeCloud, tmp_path: Path) -> None:
    there = prepared(tmp_path, cloud, etcd=1)
    there.spec = attrs.evolve(there.spec, update=UpdateSpec(watch_seconds=20.0))
    cloud.broken_programs.update({("kube-apiserver.service", "/1.31.3"), ("kube-apiserver.service", "/1.30.3")})
    with pytest.raises(DeployFailed, match=r"and does not serve with what it had before either .*; kubo check says"):
        there.cluster.upgrade()
    cloud.broken_programs.clear()
    there.cluster.upgrade()
    assert there.cluster.plan().is_empty


def test_after_a_rollback_the_old_version_may_be_written_back(cloud: FakeCloud, tmp_path: Path) -> None:
    there = prepared(tmp_path, cloud, etcd=1)
    broken(cloud, "kube-apiserver.service")
    with pytest.raises(DeployFailed):
        there.cluster.upgrade()
    there.wish("1.30.3")
    there.cluster.deploy()
    assert there.versions() == ["1.30.3"]
    assert there.cluster.plan().is_empty


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_an_upgrade_whose_director_is_killed_at_any_call_is_finished_by_the_next(
    cloud: FakeCloud, tmp_path: Path, after: bool
) -> None:
    there = upgraded(tmp_path, cloud, "1.20.3", sized(etcd=1, master=1, worker=1, proxy=0))
    version = 20
    for call in range(1 + 6 * after, MOST_CALLS, 12):
        if version == 36:
            break
        version += 1
        there.release(f"1.{version}.3")
        there.wish(f"1.{version}.3")
        cloud.faults.kill(call=call, after=after)
        with suppress(DirectorKilled, DeployFailed):
            there.cluster.upgrade()
        cloud.faults.clear()
        there.cluster.upgrade()
        assert there.versions() == [f"1.{version}.3"], call
        assert there.cluster.plan().is_empty, call
        assert there.cluster.status().healthy, call


def test_a_director_killed_anywhere_with_a_broken_release_leaves_a_cluster_that_serves(
    cloud: FakeCloud, tmp_path: Path
) -> None:
    """Whoever comes next rolls back what was left on trial, and no other master is touched meanwhile."""
    there = prepared(tmp_path, cloud, etcd=1, worker=1, proxy=0)
    broken(cloud, "kube-apiserver.service")
    for call in range(1, MOST_CALLS, 13):
        cloud.faults.kill(call=call)
        with suppress(DirectorKilled, DeployFailed):
            there.cluster.upgrade()
        cloud.faults.clear()
        with pytest.raises(DeployFailed, match=r"master/0 did not come back .* was rolled back to 1\.30\.3"):
            there.cluster.upgrade()
        for master in ("master/0", "master/1"):
            assert [str(each.kubernetes) for each in there.view(master).releases] == ["1.30.3"], call
        assert there.cluster.status().healthy, call
    assert not [step for step in there.done() if step == "configure master/1"]
