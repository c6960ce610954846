"""FakeSite: what one cluster has in the fake cloud beside machines and disks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from attrs import define, field

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.dns import Record
from kubo_sdk.testing.fakes.etcd_data import EtcdData
from kubo_sdk.testing.fakes.front import Balance
from kubo_sdk.testing.fakes.kubelets import Nodes
from kubo_sdk.testing.fakes.wire import Listener

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.cloud import FakeCloud

Identity = tuple[str, frozenset[tuple[str, str]]]


@define(eq=False, kw_only=True)
class LoadBalancer:
    """One endpoint of the cloud's own load balancer."""

    host: str
    ports: tuple[int, int]
    balance: Balance
    members: frozenset[str] = frozenset()
    listener: Listener | None = None


@define(eq=False, kw_only=True)
class FakeSite:
    """One cluster's names, endpoints, etcd clusters by the member list they began with, and Nodes.

    ``door``: the router its masters register themselves with, where they do.
    ``deprecated_requests``: what its API servers count as asked for, as (group, version, resource, removed release).
    """

    cloud: FakeCloud = field(repr=False)
    cluster: ClusterId
    nodes: Nodes
    bootstraps: dict[Identity, EtcdData] = field(factory=dict, repr=False)
    records: dict[tuple[str, str], Record] = field(factory=dict)
    deprecated_requests: set[tuple[str, str, str, str]] = field(factory=set)
    balancers: dict[str, LoadBalancer] = field(factory=dict)
    door: LoadBalancer | None = None

    def places(self) -> Iterator[dict[str, Any]]:
        """Everything programs keep their data in: disks and machines."""
        for disk in tuple(self.cloud.disks_by_id.values()):
            if disk.cluster == self.cluster:
                yield disk.content
        for machine in tuple(self.cloud.machines_by_id.values()):
            if machine.cluster == self.cluster:
                yield machine.content

    def etcd_clusters(self) -> list[EtcdData]:
        """The etcd clusters that somebody still has data of."""
        held = [place["etcd"][0] for place in self.places() if "etcd" in place]
        return list({id(data): data for data in held}.values())
