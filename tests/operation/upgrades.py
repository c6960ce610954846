"""A cluster on a fake cloud with releases of many versions, and what an upgrade of it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
from attrs import define, field

from kubo_sdk import Cluster, Plugins
from kubo_sdk.engine.cancel import CancelToken
from kubo_sdk.events import Event, PlanMade, StepFinished
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup, ProviderChoice
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.observe import find_machines
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.upgrade import running_versions
from kubo_sdk.releases.companions import companions
from kubo_sdk.steps.access import kubernetes_client
from kubo_sdk.steps.credentials import read_credentials
from kubo_sdk.testing.fakes import FakeCloud, fake_release, fake_spec, sized

# The newest patch version of each minor version that the fakes have.
PATCH = 3


@define(kw_only=True)
class Upgraded:
    """``events`` is what its operations told.  Releases lie side by side, made when somebody wants one."""

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

    def release(self, version: str, *, etcd: str | None = None, build: str = "") -> None:
        """Have the source offer *version*, with the etcd that goes with it unless another is named."""
        parsed = KubernetesVersion.parse(version)
        with_it = companions(parsed).etcd_version if etcd is None else etcd
        fake_release(self.home / "releases" / version, version, etcd=with_it, build=build)

    def wish(self, version: str, **changes: Any) -> None:
        """Write another version, and other settings of ``kubernetes``, into the spec."""
        kubernetes = attrs.evolve(self.spec.kubernetes, version=KubernetesVersion.parse(version), **changes)
        self.spec = attrs.evolve(self.spec, kubernetes=kubernetes)

    def observation(self) -> Observation:
        return self.cluster._upkeep.look()[0]

    def view(self, instance: str) -> InstanceView:
        return self.observation().view(instance)

    def versions(self) -> list[str]:
        """What masters and workers run."""
        return [str(version) for version in running_versions(self.observation())]

    def kubernetes(self) -> Any:
        """The API, as the administrator."""
        providers = self.cluster.providers
        state = find_machines(self.spec, providers)
        read_credentials(providers.credential_store, self.spec, state)
        return kubernetes_client(state)

    def done(self) -> list[str]:
        """The steps of all operations so far, in the order of their end."""
        return [event.step for event in self.events if isinstance(event, StepFinished)]

    def planned(self) -> list[PlanMade]:
        return [event for event in self.events if isinstance(event, PlanMade)]


def upgraded(home: Path, cloud: FakeCloud, version: str, groups: tuple[InstanceGroup, ...] = ()) -> Upgraded:
    """A deployed cluster of that version whose release source has every version that is made with `release`."""
    options = {"path": str(home / "releases" / "{version}")}
    groups = groups or sized(etcd=3, master=2, worker=2, proxy=1)
    spec = fake_spec(home / "unused", version=version, instance_groups=groups)
    kubernetes = attrs.evolve(spec.kubernetes, source=ProviderChoice(provider="directory", options=options))
    there = Upgraded(cloud=cloud, spec=attrs.evolve(spec, kubernetes=kubernetes), home=home)
    there.release(version)
    there.cluster.deploy()
    there.events.clear()
    return there
