"""ClusterSpec: what the user wants.  Values only; `kubo_sdk.config` reads them from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from attrs import Factory, field, frozen

from kubo_sdk.model.backup_spec import BackupSpec
from kubo_sdk.model.instance import ClusterId, Instance, Role
from kubo_sdk.model.preparation_spec import PreparationSpec
from kubo_sdk.model.version import KubernetesVersion


class NodeNames(StrEnum):
    """What a worker announces as its host name."""

    ADDRESS = "address"
    INSTANCE = "instance"


@frozen(kw_only=True)
class ProviderChoice:
    """One provider picked by name, with the options its config type will validate."""

    provider: str
    options: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class VmSize:
    """What one machine gets.  Zero means: no limit is set."""

    cpus: int = 0
    memory_mb: int = 0
    cloud_properties: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class InstanceGroup:
    """A number of equal instances."""

    name: str
    role: Role
    instances: int
    azs: tuple[str, ...] = ("z1",)
    vm: VmSize = VmSize()
    persistent_disk_mb: int = 0
    labels: tuple[tuple[str, str], ...] = ()

    def members(self) -> tuple[Instance, ...]:
        """The slots of this group, striped over its AZs."""
        return tuple(self.member(index) for index in range(self.instances))

    def member(self, index: int) -> Instance:
        """The slot of that number."""
        return Instance(group=self.name, index=index, role=self.role, az=self.azs[index % len(self.azs)])


@frozen(kw_only=True)
class NetworkSpec:
    """The virtual networks of the cluster."""

    pods: IPv4Network = IPv4Network("10.200.0.0/16")
    services: IPv4Network = IPv4Network("10.100.200.0/24")
    node_ports: tuple[int, int] = (30000, 32767)
    domain: str = "cluster.local"

    @property
    def api_service(self) -> IPv4Address:
        """The address of the ``kubernetes`` service: the first of the service range."""
        return self.services[1]

    @property
    def dns_service(self) -> IPv4Address:
        """The address of the cluster DNS: the tenth of the service range."""
        return self.services[10]


@frozen(kw_only=True)
class KubernetesSpec:
    """Which Kubernetes, where from, and how it is run."""

    version: KubernetesVersion
    source: ProviderChoice = ProviderChoice(provider="auto")
    node_names: NodeNames = NodeNames.ADDRESS
    api_port: int = 8443
    audit: bool = True
    extra_args: Mapping[str, Mapping[str, str]] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class MeltdownSpec:
    """When so many machines fail at once that repairing them would rather harm than help.

    ``count`` machines (0: five, or more than half of a smaller cluster) and ``share`` percent of all must be down.  One
    that could not be repaired stops counting after ``window_seconds``.
    """

    count: int = 0
    share: int = 20
    window_seconds: float = 600.0


@frozen(kw_only=True)
class HealthSpec:
    """How the cluster is watched, and how much the director may repair by itself.

    Not ``enabled``: it watches and tells, and repairs nothing.  What is known to be wrong must last
    ``unhealthy_after_seconds``; who only does not answer may be slow, and has ``silent_after_seconds``.  What was
    started has ``startup_seconds``.  Each rung is tried at most ``attempts`` times an instance in ``window_seconds``.
    Certificates get a new version ``renew_days`` before they end, or when a third of their life is left.
    """

    enabled: bool = True
    probe_seconds: float = 1.0
    unhealthy_after_seconds: float = 2.0
    silent_after_seconds: float = 10.0
    startup_seconds: float = 60.0
    attempts: int = 5
    window_seconds: float = 600.0
    renew_days: int = 30
    meltdown: MeltdownSpec = MeltdownSpec()


class UpdatePolicy(StrEnum):
    """How a change may be made."""

    AS_NEEDED = "as_needed"
    IN_PLACE_ONLY = "in_place_only"
    REPLACE = "replace"


@frozen(kw_only=True)
class InFlight:
    """How many instances of a group may be away at the same time: a number, or a percentage of the group."""

    number: int = 1
    percent: bool = False

    def of(self, instances: int) -> int:
        """How many of so many *instances*; a percentage is rounded down, so it may be nobody."""
        return instances * self.number // 100 if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


@frozen(kw_only=True)
class UpdateSpec:
    """How running machines are changed and taken out of service.

    Of each worker group ``canaries`` change first; the others follow when those serve again, AZ by AZ, at most
    ``max_in_flight`` at the same time.  etcd members, masters and proxies always change one after the other.
    A machine that was changed has ``watch_seconds`` to serve again.  ``policy``: IN_PLACE_ONLY refuses a plan that
    replaces machines; REPLACE replaces every machine whose units would restart; AS_NEEDED replaces those that cannot be
    changed otherwise.  While workers are replaced, each group of theirs has ``surge`` more.  A worker's pods have
    ``drain_timeout_seconds`` to move elsewhere.
    """

    canaries: int = 1
    max_in_flight: InFlight = InFlight()
    policy: UpdatePolicy = UpdatePolicy.AS_NEEDED
    surge: int = 0
    watch_seconds: float = 180.0
    drain_timeout_seconds: float = 120.0


def default_groups() -> tuple[InstanceGroup, ...]:
    """The seed's shape: 3 etcd, 2 master, 3 worker, 1 proxy."""
    shape = ((Role.ETCD, 3, 1024), (Role.MASTER, 2, 0), (Role.WORKER, 3, 0), (Role.PROXY, 1, 0))
    return tuple(
        InstanceGroup(name=role.value, role=role, instances=count, persistent_disk_mb=disk)
        for role, count, disk in shape
    )


@frozen(kw_only=True)
class ClusterSpec:
    """One cluster, as wished for."""

    name: str
    director: str = "kubo"
    kubernetes: KubernetesSpec
    instance_groups: tuple[InstanceGroup, ...] = Factory(default_groups)
    network: NetworkSpec = NetworkSpec()
    zone: str = "kubo.internal"
    cpi: ProviderChoice = ProviderChoice(provider="local")
    credential_store: ProviderChoice = ProviderChoice(provider="file")
    dns: ProviderChoice = ProviderChoice(provider="hosts")
    overlay: ProviderChoice = ProviderChoice(provider="flannel")
    ingress: ProviderChoice = ProviderChoice(provider="haproxy")
    cluster_dns: ProviderChoice = ProviderChoice(provider="powerdns")
    health: HealthSpec = HealthSpec()
    update: UpdateSpec = UpdateSpec()
    backup: BackupSpec = BackupSpec()
    preparation: PreparationSpec = PreparationSpec()

    @property
    def id(self) -> ClusterId:
        """Who this cluster is: its director and its name."""
        return ClusterId(director=self.director, name=self.name)

    @property
    def domain(self) -> str:
        """What every name of the cluster ends in: ``<cluster>.<zone>``."""
        return f"{self.name}.{self.zone}"

    def hostname(self, instance: Instance) -> str:
        """The full name of an instance: ``worker-0.<cluster>.<zone>``."""
        return f"{instance.slug}.{self.domain}"

    def instances(self, role: Role | None = None) -> tuple[Instance, ...]:
        """Every wished-for slot, or those of one role, in the order of the groups."""
        return tuple(
            instance
            for group in self.instance_groups
            if role is None or group.role is role
            for instance in group.members()
        )

    def instance(self, instance_id: str) -> Instance | None:
        """The slot of that id; None if there is none."""
        name, _, number = instance_id.rpartition("/")
        for group in self.instance_groups:
            if group.name == name and number.isdecimal() and int(number) < group.instances:
                return group.member(int(number))
        return None

    def group(self, name: str) -> InstanceGroup:
        """The group of that name; KeyError if there is none."""
        for group in self.instance_groups:
            if group.name == name:
                return group
        raise KeyError(name)
