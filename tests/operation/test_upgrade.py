"""An upgrade on the fake cloud: from the oldest version to the newest, one after the other, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from kubo_sdk.errors import ConfigError, HostError, KuboError, NotFound, UnsafePlan
from kubo_sdk.model.spec import HealthSpec
from kubo_sdk.model.version import NEWEST_MINOR, OLDEST_MINOR
from kubo_sdk.testing.fakes import FakeCloud, sized

from .upgrades import PATCH, Upgraded, upgraded

GOLDEN = Path(__file__).parent / "golden" / "upgrades.txt"
SMALL = sized(etcd=1, master=1, worker=1, proxy=0)


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made


def test_from_the_oldest_to_the_newest_every_plan_is_what_is_written_down_and_objects_are_kept(
    cloud: FakeCloud, tmp_path: Path
) -> None:
    """``KUBO_WRITE_GOLDEN=1`` in the environment writes the plans anew: read the difference before you accept it."""
    there = upgraded(tmp_path, cloud, f"1.{OLDEST_MINOR}.{PATCH}", sized(etcd=1, master=2, worker=2, proxy=1))
    for minor in range(OLDEST_MINOR + 1, NEWEST_MINOR + 1):
        there.release(f"1.{minor}.{PATCH}")
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "default"}}
    there.kubernetes().apply({**kept, "data": {"a": "b"}})
    plans = []
    for minor in range(OLDEST_MINOR + 1, NEWEST_MINOR + 1):
        found = there.cluster.check_upgrade(f"1.{minor}.{PATCH}")
        assert found.problems == ()
        plans.append(str(found.plan))
        there.cluster.upgrade(f"1.{minor}.{PATCH}")
        there.wish(f"1.{minor}.{PATCH}")
    text = "\n\n".join(plans) + "\n"
    if os.environ.get("KUBO_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), "read the difference; KUBO_WRITE_GOLDEN=1 accepts it"
    assert there.kubernetes().get("/api/v1/namespaces/default/configmaps/kept")["data"] == {"a": "b"}
    assert {node.kubelet_version for node in there.kubernetes().nodes()} == {f"v1.{NEWEST_MINOR}.{PATCH}"}
    assert there.cluster.plan().is_empty
    assert there.cluster.status().healthy


def test_one_call_goes_through_all_versions_between_and_tells_them(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
    for version in ("1.31.3", "1.32.1", "1.32.3", "1.33.3"):
        there.release(version)
    links = there.cluster.upgrade("1.33.3")
    assert [str(version) for version in links] == ["1.31.3", "1.32.3", "1.33.3"]
    assert there.versions() == ["1.33.3"]
    assert [task.operation for task in there.cluster.tasks()] == ["deploy", "upgrade", "upgrade", "upgrade"]
    assert not there.view("master/0").on_trial
    there.wish("1.33.3")
    assert there.cluster.upgrade() == links[-1:]
    assert there.planned()[-1].steps == 0


def test_the_version_of_one_between_may_be_chosen(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
    for version in ("1.31.1", "1.31.3", "1.32.3"):
        there.release(version)
    assert [str(each) for each in there.cluster.upgrade("1.32.3", through=["1.31.1"])] == ["1.31.1", "1.32.3"]


def test_a_changed_version_in_the_spec_is_an_upgrade(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", sized(etcd=3, master=2, worker=2, proxy=1))
    there.release("1.31.3")
    there.wish("1.31.3")
    there.cluster.deploy()
    done = there.done()
    assert done[0] == "fetch release"
    masters = [done.index(f"await master/{index}") for index in (0, 1)]
    assert max(done.index(f"await etcd/{index}") for index in range(3)) < done.index("configure master/0")
    assert masters[0] < done.index("configure master/1")
    assert masters[1] < done.index("drain worker/0") < done.index("configure worker/0")
    assert done.index("uncordon worker/0") < len(done)
    assert done.index("await worker/0") < done.index("drain worker/1")
    assert there.cluster.plan().is_empty


def test_machines_that_see_nothing_of_this_host_are_given_the_release(tmp_path: Path) -> None:
    with FakeCloud(shares_trees=False) as cloud:
        there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
        there.release("1.31.3")
        there.cluster.upgrade("1.31.3")
        assert any("/1.31.3-" in tree for tree in cloud.machines["worker/0"].trees)
        assert there.done().index("install release worker/0") < there.done().index("configure worker/0")


def test_a_new_worker_waits_for_the_masters_of_its_version(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", sized(etcd=1, master=2, worker=2, proxy=0))
    there.release("1.31.3")
    there.wish("1.31.3")
    cloud.machines["worker/1"].kill()
    there.cluster.deploy()
    assert there.done().index("await master/1") < there.done().index("configure worker/1")
    assert there.versions() == ["1.31.3"]


@pytest.mark.parametrize(
    ("wish", "error", "told"),
    [
        ("1.32.3", UnsafePlan, "kubo upgrade takes the versions between"),
        ("1.29.3", UnsafePlan, "Kubernetes 1.30.3 does not go back to 1.29.3"),
    ],
)
def test_a_deploy_that_skips_a_version_or_goes_back_is_refused(
    cloud: FakeCloud, tmp_path: Path, wish: str, error: type[KuboError], told: str
) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
    there.release(wish)
    there.wish(wish)
    for act in (there.cluster.plan, there.cluster.deploy):
        with pytest.raises(error, match=told) as raised:
            act()
        assert "\n" not in str(raised.value)
    assert untouched(there)


def untouched(there: Upgraded) -> bool:
    return not [step for step in there.done() if step != "fetch release"]


def test_bad_input_to_an_upgrade_is_one_sentence_and_changes_nothing(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
    for version in ("1.29.3", "1.31.3", "1.33.3"):
        there.release(version)
    (tmp_path / "releases" / "1.31.3" / "bin" / "kubelet").unlink()
    upgrade = there.cluster.upgrade
    for wish, error, told in (
        ("1.29.3", UnsafePlan, "does not go back"),
        ("1.31.3", HostError, "lacks kubelet"),
        ("1.31.7", HostError, "there is no directory"),
        ("1.33.3", NotFound, "--through 1.32.N"),
        ("1.99.0", ConfigError, "choose a version from"),
        ("new", ConfigError, "is not a Kubernetes version"),
    ):
        with pytest.raises(error, match=told) as raised:
            upgrade(wish)
        assert "\n" not in str(raised.value)
    with pytest.raises(ConfigError, match="is not between"):
        upgrade("1.31.3", through=["1.35.0"])
    assert untouched(there)
    assert there.versions() == ["1.30.3"]


def test_an_etcd_that_would_skip_a_version_is_refused(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.32.3", SMALL)
    there.release("1.33.3", etcd="3.5.12")
    there.cluster.upgrade("1.33.3", force=True)
    there.wish("1.33.3")
    there.release("1.34.3")
    with pytest.raises(UnsafePlan, match=r"use a release with etcd 3\.5\.20 or a newer 3\.5 first"):
        there.cluster.upgrade("1.34.3")


def test_everything_in_the_way_is_told_at_once(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.24.3", sized(etcd=3, master=2, worker=2, proxy=1))
    for version in ("1.25.3", "1.26.3"):
        there.release(version)
    site = cloud.site(there.spec.id)
    site.deprecated_requests.add(("batch.example.org", "v1beta1", "jobs", "1.26"))
    there.kubernetes().apply(
        {"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": {"name": "restricted"}}
    )
    there.wish("1.24.3", extra_args={"kube-controller-manager": {"v": "2"}, "kubelet": {"logtostderr": "true"}})
    there.spec = attrs.evolve(there.spec, health=HealthSpec(startup_seconds=2.0))
    there.cluster.deploy()
    there.events.clear()
    cloud.machines["etcd/1"].power_off()
    cloud.machines["worker/1"].stop_unit("kubelet")
    cloud.clock.lapse(120.0)
    found = there.cluster.check_upgrade("1.26.3")
    assert found.plan is None
    for told in (
        "the etcd member etcd-1 is not healthy",
        "the Node of worker/1 is not Ready",
        "podsecuritypolicies restricted would be no more with Kubernetes 1.25",
        "batch.example.org/v1beta1 jobs was asked for",
        "kubelet has no flag --logtostderr in Kubernetes 1.26",
    ):
        assert [problem for problem in found.problems if told in problem], (told, found.problems)
    with pytest.raises(UnsafePlan, match=r"etcd-1.*worker/1.*restricted.*asked for"):
        there.cluster.upgrade("1.26.3")
    assert untouched(there)


def test_who_asked_for_an_api_may_be_overruled(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.24.3", SMALL)
    there.release("1.25.3")
    cloud.site(there.spec.id).deprecated_requests.add(("batch.example.org", "v1beta1", "jobs", "1.25"))
    with pytest.raises(UnsafePlan, match="kubo upgrade --force"):
        there.cluster.upgrade("1.25.3")
    there.cluster.upgrade("1.25.3", force=True)
    assert there.versions() == ["1.25.3"]


def test_an_expired_certificate_is_in_the_way(cloud: FakeCloud, tmp_path: Path) -> None:
    there = upgraded(tmp_path, cloud, "1.30.3", SMALL)
    there.release("1.31.3")
    cloud.clock.lapse(timedelta(days=400).total_seconds())
    assert [each for each in there.cluster.check_upgrade("1.31.3").problems if "expired on" in each]
