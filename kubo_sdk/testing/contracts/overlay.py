"""What every overlay promises.

Subclass `OverlayContract` and give it a fixture ``overlay``, connected for the cluster of the fixture ``spec``
(`kubo_sdk.testing.node_contexts.sample_spec`)::

    class TestMyOverlay(OverlayContract):
        @pytest.fixture
        def overlay(self, spec: ClusterSpec) -> Overlay:
            return MyOverlay(...)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kubo_sdk.model.instance import Role
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.node import NodeContributor
from kubo_sdk.ports.overlay import Overlay, OverlayInfo
from kubo_sdk.testing.contracts.contribution import ContributionContract
from kubo_sdk.testing.memory_etcd import MemoryEtcd
from kubo_sdk.testing.node_contexts import SampleCluster

STRANGERS = {"/registry/nodes/worker": b"of Kubernetes", "/contract-neighbour/config": b"of somebody else"}


class OverlayContract(ContributionContract):
    """Run against an etcd in memory; give the fixture ``etcd`` to run against a real, empty one."""

    @pytest.fixture
    def overlay(self) -> Overlay:
        """The overlay to be judged, connected."""
        raise NotImplementedError("give the contract a fixture 'overlay'")

    @pytest.fixture
    def provider(self, overlay: Overlay) -> Any:
        return overlay

    @pytest.fixture
    def overlay_info(self, overlay: Overlay) -> OverlayInfo:
        return overlay.info()

    @pytest.fixture
    def etcd(self) -> Etcd:
        """An empty etcd."""
        return MemoryEtcd()

    @pytest.fixture
    def clean_etcd(self, etcd: Etcd) -> Iterator[Etcd]:
        """That etcd.  Afterwards it is empty again."""
        yield etcd
        for found in etcd.list("/"):
            etcd.delete(found.key)

    @pytest.fixture
    def shared_etcd(self, clean_etcd: Etcd) -> Etcd:
        """That etcd with keys of others in it."""
        for key, value in STRANGERS.items():
            clean_etcd.put(key, value)
        return clean_etcd

    def test_it_says_which_contract_it_keeps(self, overlay: Overlay) -> None:
        assert overlay.info().contract == 1
        assert overlay.info() == overlay.info()

    def test_the_keys_it_asks_for_are_paths_of_its_own(self, overlay: Overlay) -> None:
        for prefix in overlay.info().etcd_prefixes:
            assert prefix.startswith("/"), f"{prefix!r} is no path"
            assert prefix.strip("/"), f"{prefix!r} is everything there is"
            assert not "/registry/".startswith(prefix), f"{prefix!r} takes in what is Kubernetes' own"
            assert not prefix.startswith("/registry/"), f"{prefix!r} is Kubernetes' own"

    def test_ensuring_the_network_twice_is_the_same_as_once(self, overlay: Overlay, clean_etcd: Etcd) -> None:
        overlay.ensure_network(clean_etcd)
        once = clean_etcd.list("/")
        overlay.ensure_network(clean_etcd)
        assert clean_etcd.list("/") == once, "the second time wrote something"

    def test_another_connection_writes_the_same_network(
        self, overlay: Overlay, reconnected: Overlay, clean_etcd: Etcd
    ) -> None:
        overlay.ensure_network(clean_etcd)
        once = clean_etcd.list("/")
        reconnected.ensure_network(clean_etcd)
        assert clean_etcd.list("/") == once

    def test_it_writes_below_its_prefixes_and_touches_nothing_else(self, overlay: Overlay, shared_etcd: Etcd) -> None:
        overlay.ensure_network(shared_etcd)
        found = {each.key: each.value for each in shared_etcd.list("/")}
        assert {key: found.pop(key, None) for key in STRANGERS} == STRANGERS
        prefixes = overlay.info().etcd_prefixes
        outside = [key for key in found if not key.startswith(prefixes)]
        assert not outside, f"{outside} are not below {prefixes}"

    def test_a_network_that_was_lost_is_written_again(self, overlay: Overlay, clean_etcd: Etcd) -> None:
        overlay.ensure_network(clean_etcd)
        written = {each.key: each.value for each in clean_etcd.list("/")}
        for key in written:
            clean_etcd.delete(key)
        overlay.ensure_network(clean_etcd)
        assert {each.key: each.value for each in clean_etcd.list("/")} == written

    def test_its_manifests_are_kubernetes_objects_with_names_of_their_own(self, overlay: Overlay) -> None:
        manifests = json.loads(json.dumps(overlay.manifests()))
        for manifest in manifests:
            assert manifest["apiVersion"]
            assert manifest["kind"]
            assert manifest["metadata"]["name"]
        names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in manifests]
        assert len(set(names)) == len(names)

    def test_its_manifests_are_always_the_same(self, overlay: Overlay) -> None:
        assert json.dumps(overlay.manifests()) == json.dumps(overlay.manifests())

    def test_another_connection_gives_the_same_manifests(self, overlay: Overlay, reconnected: Overlay) -> None:
        assert json.dumps(reconnected.manifests()) == json.dumps(overlay.manifests())

    def test_its_rights_are_for_the_user_its_workers_are(self, overlay: Overlay) -> None:
        user = overlay.info().kubernetes_user
        bound = [
            subject["name"]
            for manifest in overlay.manifests()
            for subject in manifest.get("subjects", ())
            if subject.get("kind") == "User"
        ]
        assert set(bound) <= {user}, f"{bound} is bound, and its workers are {user}"

    def test_a_network_needs_something_on_its_workers(
        self, contributor: NodeContributor, sample: SampleCluster
    ) -> None:
        contribution = contributor.node_files(sample.of_role(Role.WORKER))
        assert contribution.files or contribution.units
