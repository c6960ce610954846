"""Flannel passes the contract of every overlay, with either store, against an etcd in memory and a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubo_sdk_flannel.bundle import agent_archive
from kubo_sdk_flannel.config import FlannelConfig, StoreKind
from kubo_sdk_flannel.overlay import FlannelOverlay

from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.access import Etcd
from kubo_sdk.ports.overlay import Overlay
from kubo_sdk.testing.contracts.overlay import OverlayContract

from .lab.etcd_server import DirectorEtcd, EtcdServer


def connected(spec: ClusterSpec, store: StoreKind, cache: Path) -> FlannelOverlay:
    return FlannelOverlay(FlannelConfig(store=store), spec.network.pods, lambda: agent_archive(cache))


class TestFlannelInEtcd(OverlayContract):
    store = StoreKind.ETCD

    @pytest.fixture
    def overlay(self, spec: ClusterSpec, tmp_path: Path) -> Overlay:
        return connected(spec, self.store, tmp_path / "one")

    @pytest.fixture
    def reconnected(self, spec: ClusterSpec, tmp_path: Path) -> Overlay:
        return connected(spec, self.store, tmp_path / "another")


class TestFlannelInRealEtcd(TestFlannelInEtcd):
    @pytest.fixture
    def etcd(self, local_etcd: EtcdServer) -> Etcd:
        return DirectorEtcd(local_etcd)


class TestFlannelOnNodes(TestFlannelInEtcd):
    store = StoreKind.KUBERNETES
