"""One real cluster whose machines are replaced, stopped, started and restarted on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from .losing import is_whole, run_workload, running_pods
from .site import Site

pytestmark = pytest.mark.e2e

Cluster = tuple[Site, Path]


@pytest.fixture(scope="module")
def pair(shared_site: Site) -> Cluster:
    shape = (("etcd", 3), ("master", 1), ("worker", 2), ("proxy", 1))
    spec = shared_site.spec("replaced", shape=shape, update={"drain_timeout_seconds": 10})
    shared_site.kubo(spec, "up")
    shared_site.kubectl(spec, "create", "configmap", "kept", "--from-literal=a=b")
    run_workload(shared_site, spec)
    return shared_site, spec


def provider_ids(site: Site, spec: Path) -> str:
    return site.kubectl(spec, "get", "nodes", "-o", "jsonpath={.items[*].spec.providerID}")


def test_a_worker_is_replaced_after_its_pods_moved(pair: Cluster) -> None:
    site, spec = pair
    before = provider_ids(site, spec)
    site.kubo(spec, "recreate", "worker/1")
    assert is_whole(site, spec)
    assert provider_ids(site, spec) != before
    site.kubectl(spec, "rollout", "status", "deployment/moving", "--timeout=60s")
    assert len(running_pods(site, spec)) == 2


def test_a_budget_that_keeps_a_pod_is_named_and_the_worker_comes_back(pair: Cluster) -> None:
    site, spec = pair
    site.kubectl(spec, "patch", "pdb", "stay", "-p", '{"spec":{"minAvailable":2}}')
    holder = next(iter(running_pods(site, spec).values()))
    name = next(each["instance"] for each in site.status(spec)["instances"] if each["address"] == holder)
    refused = site.kubo(spec, "recreate", name, check=False)
    site.kubectl(spec, "patch", "pdb", "stay", "-p", '{"spec":{"minAvailable":1}}')
    assert refused.returncode == 8
    assert "the PodDisruptionBudget stay in namespace default keeps pod moving-" in refused.stderr
    assert [step["id"] for step in site.plan(spec)["steps"]] == [f"uncordon {name}"]
    site.kubo(spec, "up")
    assert is_whole(site, spec)


@pytest.mark.parametrize(("instance", "flags"), [("etcd/0", ()), ("proxy/0", ()), ("master/0", ("--force",))])
def test_every_other_role_is_replaced_with_its_data(pair: Cluster, instance: str, flags: tuple[str, ...]) -> None:
    site, spec = pair
    site.kubo(spec, "recreate", instance, *flags)
    assert is_whole(site, spec)
    assert "kept" in site.kubectl(spec, "get", "configmaps")


def test_a_stopped_instance_is_left_alone_until_it_is_started(pair: Cluster) -> None:
    site, spec = pair
    for instance in ("worker/1", "etcd/2"):
        site.kubo(spec, "stop", instance)
        assert site.plan(spec)["steps"] == []
    refused = site.kubo(spec, "stop", "etcd/1", check=False)
    assert refused.returncode == 6
    assert "too few etcd members" in refused.stderr
    for instance in ("worker/1", "etcd/2"):
        site.kubo(spec, "start", instance)
    assert is_whole(site, spec)


def test_a_restarted_worker_serves_again(pair: Cluster) -> None:
    site, spec = pair
    site.kubo(spec, "restart", "worker/0")
    assert is_whole(site, spec)


@pytest.mark.parametrize("command", ["recreate", "stop", "start", "restart"])
def test_an_instance_that_does_not_exist_is_told_with_those_that_do(pair: Cluster, command: str) -> None:
    site, spec = pair
    refused = site.kubo(spec, command, "worker/7", check=False)
    assert refused.returncode == 9
    assert "has no instance 'worker/7'; there are: etcd/0, etcd/1, etcd/2, master/0, worker/0" in refused.stderr


def test_the_only_master_is_not_taken_away_without_force(pair: Cluster) -> None:
    site, spec = pair
    refused = site.kubo(spec, "restart", "master/0", check=False)
    assert refused.returncode == 6
    assert "master/0 is the only master" in refused.stderr
