"""HealthReport: what was seen of a cluster's health, with the age of each fact.  `kubo_sdk.probe` fills it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kubo_sdk.model.instance import Instance
from kubo_sdk.ports.cpi import Disk, Vm


class Source(StrEnum):
    """Who says something about an instance."""

    MACHINE = "machine"
    SHELL = "shell"
    NETWORK = "network"
    UNITS = "units"
    DISK = "disk"
    API = "api"
    ETCD = "etcd"
    NODE = "node"


class Verdict(StrEnum):
    """UNKNOWN: nobody could be asked, because what is below is bad already."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Fact:
    """What one source said.  ``word`` is short and for people; ``details`` names units, alarms or paths."""

    source: Source
    verdict: Verdict
    word: str
    seen: datetime
    details: tuple[str, ...] = ()


@frozen(kw_only=True)
class InstanceHealth:
    """One wished-for instance, what fills it, and what the sources say of it.

    Sources that do not concern its role are left out: only masters have an API fact, only etcd an ETCD fact, only
    workers a NODE fact, and only groups with a persistent disk a DISK fact.  The details of a NETWORK fact are whom the
    machine reached, or all it tried: ``HOST:PORT``.
    """

    instance: Instance
    vm: Vm | None
    disk: Disk | None = None
    facts: tuple[Fact, ...] = ()

    def fact(self, source: Source) -> Fact | None:
        """What *source* said; None where it does not concern this role."""
        return next((fact for fact in self.facts if fact.source is source), None)

    def says(self, source: Source, verdict: Verdict) -> bool:
        """Whether *source* was asked and said *verdict*."""
        fact = self.fact(source)
        return fact is not None and fact.verdict is verdict

    @property
    def is_healthy(self) -> bool:
        return all(fact.verdict is Verdict.GOOD for fact in self.facts)


@frozen(kw_only=True)
class EtcdMemberView:
    """One member as etcd lists it.  ``name`` is the slug of its instance, empty until it started for the first time."""

    id: int
    name: str
    peer_urls: tuple[str, ...]
    learner: bool = False
    healthy: bool = False
    leader: bool = False
    alarms: tuple[str, ...] = ()


@frozen(kw_only=True)
class NodeView:
    """One Node, as the API tells it.  ``instance`` is the slug of the slot its labels name; empty for a stranger."""

    name: str
    instance: str
    ready: bool
    reason: str
    provider_id: str
    unschedulable: bool = False


@frozen(kw_only=True)
class HealthReport:
    """Everything deciding looks at.

    ``members`` is None when no etcd member could list them, ``nodes`` when the API could not be asked.  ``expiries``
    holds (credential leaf, end of its validity) for certificates, ``renewals`` when those are due that the director can
    renew.  ``paused`` and ``stopped`` come from the director's
    notes: instances nobody repairs, and instances somebody stopped on purpose; ``cluster_paused`` pauses them all.
    ``rotating`` are the authorities and keys whose rotation is half done.
    ``endpoint`` is where the API is: ``HOST:PORT``, empty before it has an address.
    """

    at: datetime
    instances: tuple[InstanceHealth, ...]
    strangers: tuple[Vm, ...] = ()
    stray_disks: tuple[Disk, ...] = ()
    api_ready: bool = False
    members: tuple[EtcdMemberView, ...] | None = None
    nodes: tuple[NodeView, ...] | None = None
    expiries: tuple[tuple[str, datetime], ...] = ()
    renewals: tuple[tuple[str, datetime], ...] = ()
    endpoint: str = ""
    cluster_paused: bool = False
    paused: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    rotating: tuple[str, ...] = ()

    def health(self, instance_id: str) -> InstanceHealth:
        """The health of that instance; KeyError if the spec has none."""
        for health in self.instances:
            if health.instance.id == instance_id:
                return health
        raise KeyError(instance_id)
