"""A cluster on a fake cloud whose size and machines change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
from attrs import define, field

from kubo_sdk import Cluster, Plugins
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event, PlanMade, StepFinished
from kubo_sdk.model.spec import ClusterSpec, ProviderChoice
from kubo_sdk.testing.fakes import FakeCloud, FakeMachine, fake_spec, sized


@define(kw_only=True)
class Fleet:
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
            observers=[self.events.append],
            cancel=CancelToken(),
        )

    def machine(self, instance: str) -> FakeMachine:
        return self.cloud.machines_of(self.spec.id)[instance]

    def resize(self, **counts: int) -> None:
        groups = (attrs.evolve(group, instances=counts.get(group.name, group.instances)) for group in self.groups)
        self.spec = attrs.evolve(self.spec, instance_groups=tuple(groups))

    @property
    def groups(self) -> Any:
        return self.spec.instance_groups

    def done(self) -> list[str]:
        """The steps of the last operation, in the order of their end."""
        starts = [place for place, event in enumerate(self.events) if isinstance(event, PlanMade)]
        return [event.step for event in self.events[starts[-1] :] if isinstance(event, StepFinished)]

    def check_whole(self) -> None:
        """As wished for, healthy, and nothing of anybody the spec does not list."""
        plan = self.cluster.plan()
        assert plan.is_empty, str(plan)
        status = self.cluster.status()
        assert status.healthy, status.verdict
        wished = {instance.id for instance in self.spec.instances()}
        assert set(self.cloud.machines_of(self.spec.id)) == wished
        assert {disk.instance for disk in self.cluster.providers.cpi.list_disks(self.spec.id)} <= wished  # type: ignore[attr-defined]
        slugs = {instance.slug for instance in self.spec.instances()}
        for credential in self.cloud.store.find("/"):
            _, _, index = credential.name.rpartition("-")
            if index.isdecimal():
                assert any(credential.name.endswith(f"-{slug}") for slug in slugs), credential.name

    def peers(self) -> list[str]:
        """The members, as etcd lists them; a learner with a star."""
        found = self.cluster
        observed = found._upkeep._observe()[0].members or ()
        return sorted(member.name + "*" * member.learner for member in observed)


def fleet(home: Path, cloud: FakeCloud, *, on_machines: bool = False, **counts: int) -> Fleet:
    """A fleet of that size; *on_machines*: names are files on the machines, and HAProxy runs on the proxies."""
    providers: dict[str, Any] = (
        {"dns": ProviderChoice(provider="hosts"), "ingress": ProviderChoice(provider="haproxy")} if on_machines else {}
    )
    spec = fake_spec(home / "release", instance_groups=sized(**counts), **providers)
    return Fleet(cloud=cloud, spec=spec, home=home)
