"""The ingress keeps every promise of the port, on the stand-in; its masters register in the registrar's own words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.testing.contracts.ingress import IngressContract
from kubo_sdk.testing.node_contexts import SampleCluster, namesake_spec, stranger_spec
from kubo_sdk_cfrouting.agent.routing_api import TcpRoute
from kubo_sdk_cfrouting.node_files import owner_of

from .conftest import Connect
from .standin.site import Site


class TestOnTheStandIn(IngressContract):
    @pytest.fixture
    def ingress(self, connected: Connect, spec: ClusterSpec) -> Ingress:
        return connected(spec)

    @pytest.fixture
    def reconnected(self, connected: Connect, spec: ClusterSpec) -> Ingress:
        return connected(spec)

    @pytest.fixture
    def stranger(self, connected: Connect) -> Ingress:
        return connected(stranger_spec())

    @pytest.fixture
    def namesake(self, connected: Connect) -> Ingress:
        return connected(namesake_spec())

    @pytest.fixture
    def registered(self, site: Site, sample: SampleCluster) -> Callable[[], None]:
        port, owner = sample.spec.kubernetes.api_port, owner_of(sample.spec)

        def register() -> None:
            for master in sample.spec.instances(Role.MASTER):
                address = sample.addresses[master.id]
                site.api.save(TcpRoute(site.group, port, address, port, f"{owner}:{master.id}").mapped())

        return register

    @pytest.fixture
    def made_by_hand(self, site: Site) -> Callable[[], object]:
        for owner in ("", "somebody", "kubo:contract"):
            site.api.save(TcpRoute(site.group, 1030, "10.9.9.9", 80, owner).mapped())

        def read() -> object:
            routes = [route for route in site.api.routes() if route["port"] == 1030]
            return [(route["backend_ip"], route["instance_id"], route["modification_tag"]) for route in routes]

        return read
