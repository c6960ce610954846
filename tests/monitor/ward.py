"""Ward: a cluster on a fake cloud under the monitor's eyes, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from attrs import define, field

from kubo_sdk import CancelToken, Cluster, Plugins
from kubo_sdk.events import Event, Observer, RepairDecided, StepStarted
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.observe import find_machines
from kubo_sdk.planning.problems import Problem
from kubo_sdk.probe import probe
from kubo_sdk.steps.access import kubernetes_client
from kubo_sdk.steps.credentials import read_credentials
from kubo_sdk.testing.fakes import FakeCloud, FakeMachine

E = TypeVar("E", bound=Event)


@define(kw_only=True)
class Ward:
    """One cloud and one spec.  ``events`` is what was told since the last `heal`; ``watcher`` hears it at once."""

    cloud: FakeCloud
    spec: ClusterSpec
    home: Path
    stop: CancelToken = field(factory=CancelToken)
    events: list[Event] = field(factory=list)
    watcher: Observer | None = None

    @property
    def cluster(self) -> Cluster:
        """The cluster as a new process would see it."""
        return Cluster(
            self.spec,
            plugins=Plugins(self.cloud.plugin(), load_installed=False),
            clock=self.cloud.clock,
            state_dir=self.home / "state",
            cache_dir=self.home / "cache",
            observers=[self.observe],
            cancel=self.stop,
        )

    def observe(self, event: Event) -> None:
        """Note *event*.  A director that was killed stops there."""
        self.events.append(event)
        if self.watcher is not None:
            self.watcher(event)
        if self.cloud.faults.is_dead:
            self.stop.cancel("killed")

    def machine(self, instance: str) -> FakeMachine:
        return self.cloud.machines[instance]

    def etcd_leader(self) -> str:
        """The instance whose member leads etcd."""
        members = probe(self.spec, self.cluster.providers, self.cloud.clock).members or ()
        return next(member.name.replace("-", "/") for member in members if member.leader)

    def delete_node(self, instance: str) -> None:
        """Delete the Node of *instance*, as an administrator would."""
        providers = self.cluster.providers
        state = find_machines(self.spec, providers)
        read_credentials(providers.credential_store, self.spec, state)
        client = kubernetes_client(state)
        (name,) = [node.name for node in client.nodes() if node.instance == instance.replace("/", "-")]
        client.delete({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})

    def heal(self) -> tuple[Problem, ...]:
        """Let the monitor work until nothing more is to be expected; return what is still wrong."""
        self.events.clear()
        self.cluster.monitor(once=True)
        return self.cluster.check()

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def decided(self) -> list[tuple[str, str]]:
        """What was decided, in order: (instance, resolution)."""
        return [(event.instance, event.resolution) for event in self.told(RepairDecided)]

    @property
    def steps(self) -> list[str]:
        """The steps that were started."""
        return [event.step for event in self.told(StepStarted)]

    @property
    def touched(self) -> set[str]:
        """The instances any step was about."""
        return {event.instance for event in self.told(StepStarted) if event.instance}

    def has_no_orphans(self) -> bool:
        """Whether there is exactly one machine for each instance, and one disk for each that wants one."""
        wished = {instance.id for instance in self.spec.instances()}
        disks = {i.id for i in self.spec.instances() if self.spec.group(i.group).persistent_disk_mb}
        return (
            set(self.cloud.machines) == wished
            and len(self.cloud.machines_by_id) == len(wished)
            and set(self.cloud.disks) == disks
            and len(self.cloud.disks_by_id) == len(disks)
        )
