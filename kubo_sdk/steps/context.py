"""StepContext: what every step works with; RunState: what the steps of one run tell each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from attrs import define, field, frozen

from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Instance
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.push import MachineManifest
from kubo_sdk.ports.cpi import Disk, Vm
from kubo_sdk.ports.credentials import Credential
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource

T = TypeVar("T")


@frozen(kw_only=True)
class Surroundings:
    """What every machine is told of all others: addresses by instance id, and what is behind the endpoints."""

    addresses: Mapping[str, str]
    api: Endpoint
    requests: tuple[EndpointRequest, ...]


@frozen(kw_only=True)
class SnapshotToRestore:
    """The snapshot of etcd that a restore brings back.  ``token`` names this restore; ``open`` begins it anew."""

    token: str
    size: int
    sha256: str
    open: Callable[[], Iterator[bytes]] = field(repr=False)


@define(kw_only=True)
class RunState:
    """What is known of the world right now: filled by the observation, updated by the steps.

    Every step writes entries of its own, so plain dictionaries are safe between threads.  ``surroundings`` is None
    after a change of the machines or endpoints it was made from.  ``ready_pods``: by worker, the uids of
    its pods that were ready before its units restarted.  ``on_trial``: the instances whose machines keep what they
    carried before.  ``newly_made``: those whose machines were made in this run and have no certificates yet.
    ``withdrawn``: those that nobody is sent to any more, because their machines are about to go.
    """

    release: Release | None = None
    vms: dict[str, Vm] = field(factory=dict)
    disks: dict[str, Disk] = field(factory=dict)
    endpoints: dict[str, Endpoint] = field(factory=dict)
    credentials: dict[str, Credential] = field(factory=dict, repr=False)
    manifests: dict[str, MachineManifest | None] = field(factory=dict, repr=False)
    surroundings: Surroundings | None = field(default=None, repr=False)
    on_trial: set[str] = field(factory=set)
    newly_made: set[str] = field(factory=set)
    withdrawn: set[str] = field(factory=set)
    ready_pods: dict[str, frozenset[str]] = field(factory=dict, repr=False)
    snapshot: SnapshotToRestore | None = field(default=None, repr=False)


@frozen(kw_only=True)
class StepContext:
    """The providers, the spec and the state of the run.  ``clock`` ends its sleeps when the run is cancelled; ``say``
    tells the observers what the step is doing.
    """

    spec: ClusterSpec
    providers: Providers
    releases: ReleaseSource
    state: RunState
    clock: Clock
    say: Callable[[str], None]

    def instance(self, instance_id: str | None) -> Instance:
        """The wished-for instance of that id."""
        found = self.spec.instance(str(instance_id))
        if found is not None:
            return found
        raise NotFound(f"cluster {self.spec.id} has no instance {instance_id!r}")

    def vm(self, instance_id: str) -> Vm:
        """The machine that fills the slot now."""
        try:
            return self.state.vms[instance_id]
        except KeyError:
            raise NotFound(f"{instance_id} of cluster {self.spec.id} has no machine; deploy the cluster") from None

    def shell(self, instance_id: str) -> Shell:
        return self.providers.cpi.open_shell(self.vm(instance_id))

    def release(self) -> Release:
        if self.state.release is None:
            raise NotFound(f"Kubernetes {self.spec.kubernetes.version} is not in the cache; deploy the cluster")
        return self.state.release

    def wait_until(self, probe: Callable[[], T | None], *, what: str, timeout: float) -> T:
        """`wait_until` on the run's clock."""
        return wait_until(probe, what=what, timeout=timeout, clock=self.clock)
