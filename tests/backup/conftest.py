"""A cluster on a fake cloud whose backups go to a directory of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from attrs import define, field

from kubo_sdk import CancelToken, Cluster, Plugins
from kubo_sdk.events import Event
from kubo_sdk.model.backup_spec import BackupSpec
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import read_notes
from kubo_sdk.observe import find_machines
from kubo_sdk.steps.access import SUPER_ADMIN, kubernetes_client
from kubo_sdk.steps.credentials import read_credentials
from kubo_sdk.testing.fakes import FakeCloud, FakeMachine, fake_spec, sized


@define(kw_only=True)
class Ward:
    """``events`` is what its operations told."""

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
            base_dir=self.home,
            observers=[self.events.append],
            cancel=CancelToken(),
        )

    def machine(self, instance: str) -> FakeMachine:
        return self.cloud.machines_of(self.spec.id)[instance]

    def change(self, **changes: Any) -> None:
        self.spec = attrs.evolve(self.spec, **changes)

    @property
    def api(self) -> Any:
        """The API, as the super administrator."""
        cluster = self.cluster
        state = find_machines(self.spec, cluster.providers)
        read_credentials(cluster.providers.credential_store, self.spec, state)
        return kubernetes_client(state, SUPER_ADMIN)

    def put(self, name: str, text: str) -> None:
        """Store a ConfigMap."""
        metadata = {"name": name, "namespace": "default"}
        self.api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}})

    def kept(self) -> dict[str, str]:
        """What the ConfigMaps of `put` say."""
        found = self.api.get("/api/v1/namespaces/default/configmaps")["items"]
        return {each["metadata"]["name"]: each["data"]["text"] for each in found}

    def check_whole(self) -> None:
        """As wished for, healthy, nothing half restored, and one Node for each worker."""
        plan = self.cluster.plan()
        assert plan.is_empty, str(plan)
        status = self.cluster.status()
        assert status.healthy, status.verdict
        nodes = self.api.nodes()
        workers = {name: vm for name, vm in self.cloud.machines_of(self.spec.id).items() if name.startswith("worker/")}
        assert {node.provider_id for node in nodes} == {machine.provider_id for machine in workers.values()}
        assert len(nodes) == len(workers)

    def value(self, leaf: str) -> Any:
        return self.cloud.store.get(self.spec.id.credential(leaf)).value

    @property
    def is_half_restored(self) -> bool:
        return read_notes(self.cloud.store, self.spec.id).restoring is not None


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as made:
        yield made


@pytest.fixture
def ward(cloud: FakeCloud, tmp_path: Path) -> Callable[..., Ward]:
    """Makes a cluster of that size, not deployed yet."""

    def make(etcd: int = 1, master: int = 1, worker: int = 1, **changes: Any) -> Ward:
        backup = BackupSpec(to="backups", key_file=Path("backup.key"))
        groups = sized(etcd=etcd, master=master, worker=worker, proxy=0)
        spec = fake_spec(tmp_path / "release", instance_groups=groups, **{"backup": backup, **changes})
        return Ward(cloud=cloud, spec=spec, home=tmp_path)

    return make
