"""A cluster whose spec and journal are lost is found again, and the next plan is empty."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from kubo_sdk import Cluster, Plugins
from kubo_sdk.config.written import spec_document
from kubo_sdk.errors import ConfigError, NotFound, ProviderError
from kubo_sdk.kept_spec import LEAF
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec, HealthSpec
from kubo_sdk.ports.credentials import Kind, Text
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def spec(tmp_path: Path) -> ClusterSpec:
    shape = sized(etcd=1, master=1, worker=2, proxy=1)
    return fake_spec(tmp_path / "release", name="lost", instance_groups=shape, health=HealthSpec(attempts=9))


def deploy(cloud: FakeCloud, spec: ClusterSpec, home: Path) -> None:
    Cluster(
        spec,
        plugins=Plugins(cloud.plugin(), load_installed=False),
        clock=cloud.clock,
        state_dir=home / "state",
        cache_dir=home / "cache",
    ).deploy()


def start(spec: ClusterSpec) -> dict[str, object]:
    """What somebody who lost the spec still knows."""
    document = spec_document(spec)
    return {key: document[key] for key in ("name", "director", "cpi", "credential_store")}


def adopt(cloud: FakeCloud, spec: ClusterSpec, home: Path) -> Cluster:
    plugins = Plugins(cloud.plugin(), load_installed=False)
    return Cluster.adopt(start(spec), plugins=plugins, state_dir=home / "new", cache_dir=home / "cache")


def test_the_spec_is_the_one_it_was_last_deployed_from(cloud: FakeCloud, spec: ClusterSpec, tmp_path: Path) -> None:
    deploy(cloud, spec, tmp_path)
    found = adopt(cloud, spec, tmp_path)
    assert found.spec == spec
    assert found.plan().is_empty


def test_a_changed_spec_is_kept_by_the_next_deploy(cloud: FakeCloud, spec: ClusterSpec, tmp_path: Path) -> None:
    deploy(cloud, spec, tmp_path)
    changed = attrs.evolve(spec, health=HealthSpec(attempts=3))
    deploy(cloud, changed, tmp_path)
    assert adopt(cloud, spec, tmp_path).spec == changed


def test_without_a_kept_spec_the_machines_tell_its_shape(cloud: FakeCloud, spec: ClusterSpec, tmp_path: Path) -> None:
    deploy(cloud, spec, tmp_path)
    cloud.store.delete(spec.id.credential(LEAF))
    found = adopt(cloud, spec, tmp_path).spec
    shape = [
        (group.name, group.role, group.instances, group.azs, group.persistent_disk_mb) for group in spec.instance_groups
    ]
    told = [
        (group.name, group.role, group.instances, group.azs, group.persistent_disk_mb)
        for group in found.instance_groups
    ]
    assert told == shape
    assert (found.kubernetes.version, found.network, found.zone) == (spec.kubernetes.version, spec.network, spec.zone)


def test_a_cluster_that_is_not_there_is_told_with_what_to_check(
    cloud: FakeCloud, spec: ClusterSpec, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match=r"nothing of cluster kubo/lost is at CPI 'fake', nor a spec in its credential"):
        adopt(cloud, spec, tmp_path)


def test_a_starting_point_that_says_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cpi missing; say which cluster to adopt, and where its machines are"):
        Cluster.adopt({"name": "lost"}, state_dir=tmp_path)


def test_a_kept_spec_that_somebody_overwrote_is_told(cloud: FakeCloud, spec: ClusterSpec, tmp_path: Path) -> None:
    cloud.store.put(spec.id.credential(LEAF), Kind.JSON, Text(text=Secret(json.dumps("nothing"))))
    with pytest.raises(
        ProviderError, match=r"/kubo/lost/cluster-spec holds no spec of a cluster; delete that credential"
    ):
        adopt(cloud, spec, tmp_path)
