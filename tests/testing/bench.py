"""A cluster on a fake cloud, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen

from kubo_sdk import Cluster, Plugins
from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.credentials import Certificate, Credential, User
from kubo_sdk.testing.fakes import FakeCloud, FakeMachine, fake_spec


@frozen(kw_only=True)
class Bench:
    """One cloud and one spec.  ``events`` is what its clusters told."""

    cloud: FakeCloud
    spec: ClusterSpec
    home: Path
    events: list[Event] = field(factory=list)

    @property
    def cluster(self) -> Cluster:
        """The cluster as a new process would see it."""
        return Cluster(
            self.spec,
            plugins=Plugins(self.cloud.plugin(), load_installed=False),
            clock=self.cloud.clock,
            state_dir=self.home / "state",
            cache_dir=self.home / "cache",
            observers=[self.events.append],
            cancel=CancelToken(),
        )

    def machine(self, instance: str) -> FakeMachine:
        return self.cloud.machines_of(self.spec.id)[instance]

    def _value(self, leaf: str) -> Any:
        found: Credential = self.cloud.store.get(self.spec.id.credential(leaf))
        return found.value

    def https(self, leaf: str, *ways: tuple[str, int]) -> HttpsClient:
        """A client with the certificate *leaf*."""
        who = self._value(leaf)
        assert isinstance(who, Certificate)
        return HttpsClient(ways, ca=who.ca, certificate=who.certificate, private_key=who.private_key)

    def api(self, *masters: str) -> KubernetesClient:
        """The API past its endpoint, at these masters."""
        port = self.spec.kubernetes.api_port
        return KubernetesClient(self.https("admin", *((self.machine(master).address, port) for master in masters)))

    def etcd(self, *members: str) -> EtcdClient:
        """etcd at these members, as root."""
        client = EtcdClient(self.https("director-etcd", *((self.machine(member).address, 2379) for member in members)))
        root = self._value("etcd-root")
        assert isinstance(root, User)
        client.authenticate(root.username, root.password)
        return client


def bench(home: Path, cloud: FakeCloud, **changes: Any) -> Bench:
    """A bench in *home*; *changes* replaces fields of the spec."""
    return Bench(cloud=cloud, spec=fake_spec(home / "release", **changes), home=home)
