"""A real cluster that grows and shrinks, and loses its majority: data is kept, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .losing import content, is_whole, lose, resize, run_workload, running_pods
from .residue import residue
from .site import SMALL, Site

pytestmark = pytest.mark.e2e

Cluster = tuple[Site, Path]


@pytest.fixture(scope="module")
def small(shared_site: Site) -> Iterator[Cluster]:
    before = residue(shared_site)
    spec = shared_site.spec("scaled", shape=SMALL, update={"drain_timeout_seconds": 30})
    shared_site.kubo(spec, "up")
    shared_site.kubectl(spec, "create", "configmap", "kept", "--from-literal=a=b")
    yield shared_site, spec
    shared_site.kubo(spec, "delete", "--yes")
    assert residue(shared_site) == before


def test_etcd_grows_to_three_members_and_a_worker_joins(small: Cluster) -> None:
    site, spec = small
    resize(spec, etcd=3, worker=2)
    joins = [step["id"] for step in site.plan(spec)["steps"] if step["id"].startswith("join member")]
    assert joins == ["join member etcd/1", "join member etcd/2"]
    site.kubo(spec, "up")
    assert is_whole(site, spec)
    assert "kept" in site.kubectl(spec, "get", "configmaps")


def test_a_member_that_lost_machine_and_disk_joins_anew(small: Cluster) -> None:
    site, spec = small
    lose(site, spec, "etcd/1")
    site.kubo(spec, "up")
    assert is_whole(site, spec)


def test_a_lost_majority_is_named_and_the_survivor_goes_on_when_asked(small: Cluster) -> None:
    site, spec = small
    lose(site, spec, "etcd/1", "etcd/2")
    refused = site.kubo(spec, "up", check=False)
    assert refused.returncode == 6
    assert "the data of etcd/1, etcd/2 is gone" in refused.stderr
    assert "kubo recover etcd/0 --force" in refused.stderr
    assert site.kubo(spec, "recover", "etcd/0", check=False).returncode == 6
    site.kubo(spec, "recover", "etcd/0", "--force")
    assert is_whole(site, spec)
    assert "kept" in site.kubectl(spec, "get", "configmaps")
    digests = content(site, spec)
    assert len(digests) == 3
    assert len(set(digests)) == 1


def test_etcd_shrinks_and_the_pods_of_a_leaving_worker_move(small: Cluster) -> None:
    site, spec = small
    run_workload(site, spec)
    resize(spec, etcd=1, worker=1)
    told = {step["id"]: step["effect"] for step in site.plan(spec)["steps"]}
    assert told["delete disk etcd/2"] == "lose data"
    site.kubo(spec, "up")
    site.kubectl(spec, "rollout", "status", "deployment/moving", "--timeout=60s")
    assert len(set(running_pods(site, spec).values())) == 1
    assert is_whole(site, spec)
    assert "kept" in site.kubectl(spec, "get", "configmaps")


def test_an_even_number_of_members_is_refused_in_one_sentence(small: Cluster) -> None:
    site, spec = small
    resize(spec, etcd=2)
    refused = site.kubo(spec, "up", check=False)
    resize(spec, etcd=1)
    assert refused.returncode == 2
    assert "2 etcd members survive no more failures than 1; choose 1 or 3" in refused.stderr
    assert site.plan(spec)["steps"] == []
