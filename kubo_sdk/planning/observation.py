"""Observation: what is there, as far as planning needs to know it.  `kubo_sdk.observe` fills it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.ports.cpi import Disk, Vm, VmState


@frozen(kw_only=True)
class Drift:
    """How a machine differs from its wished-for manifest.

    ``files`` and ``units`` are the names that would be written and restarted; ``unstarted`` the units that have their
    files but were never started.
    """

    files: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    unstarted: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.files or self.units)


@frozen(kw_only=True)
class InstanceView:
    """One wished-for instance and what fills it.

    ``drift`` is None while it cannot be known: no machine or no certificates yet.  While it is not ``settled``, it
    depends on what does not exist yet, an address or a certificate, and ``drift`` is the most that may differ.
    ``ready``: its Node is Ready, its etcd member healthy; for a master and a proxy, the API answers.
    ``reachable``: its machine answers; also said of a slot without one.  ``units`` are those on the machine.
    ``cordoned``: the director took its Node out of service.  ``releases``: what its units run, several after a change
    that was cut off, none where nobody knows.  ``on_trial``: its machine keeps what it carried before the last change,
    so that it can go back; then ``releases`` is that.  ``prepared``: not known to lack a preparation it needs.
    """

    instance: Instance
    vm: Vm | None = None
    disk: Disk | None = None
    configured: bool = False
    drift: Drift | None = None
    ready: bool = False
    settled: bool = True
    reachable: bool = True
    units: tuple[str, ...] = ()
    cordoned: bool = False
    releases: tuple[CarriedRelease, ...] = ()
    on_trial: bool = False
    prepared: bool = True

    @property
    def exists(self) -> bool:
        """True when a complete machine fills the slot, running or not."""
        return self.vm is not None and self.vm.state is not VmState.STARTING

    @property
    def is_stopped(self) -> bool:
        return self.vm is not None and self.vm.state is VmState.STOPPED

    @property
    def is_serving(self) -> bool:
        """True when its machine runs, answers and was configured: taking it away takes something away."""
        return self.exists and not self.is_stopped and self.reachable and self.configured


@frozen(kw_only=True)
class Observation:
    """Everything planning looks at.

    ``recorded`` holds the digests the cluster keeps of what was applied to it (bootstrap objects, etcd access);
    ``wished`` the digests it should keep.  ``members`` is None when no etcd member could list them.  ``unknown`` are
    the instances whose addresses are not counted on: they have no machine, or lose it.  ``nodes`` holds the slug of
    every instance that has a Node.  ``stray_credentials`` are leaves and ``stale_names`` records of instances the spec
    does not list.  ``rotating``: the authorities and keys whose rotation is half done.
    ``release``: what the spec wants, once it is in the cache.
    """

    instances: tuple[InstanceView, ...]
    strangers: tuple[Vm, ...] = ()
    stray_disks: tuple[Disk, ...] = ()
    release_cached: bool = False
    missing_authorities: tuple[str, ...] = ()
    missing_certificates: tuple[str, ...] = ()
    endpoints_current: bool = False
    missing_names: tuple[str, ...] = ()
    api_ready: bool = False
    credentials: tuple[str, ...] = ()
    recorded: Mapping[str, str] = field(factory=dict, hash=False)
    wished: Mapping[str, str] = field(factory=dict, hash=False)
    members: tuple[EtcdMemberView, ...] | None = None
    unknown: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    stray_credentials: tuple[str, ...] = ()
    stale_names: tuple[str, ...] = ()
    rotating: tuple[str, ...] = ()
    release: CarriedRelease | None = None

    def view(self, instance_id: str) -> InstanceView:
        """The view of that instance; KeyError if the spec has none."""
        for view in self.instances:
            if view.instance.id == instance_id:
                return view
        raise KeyError(instance_id)

    @property
    def fingerprint(self) -> str:
        """A digest of what a plan depends on, to notice that the world moved."""
        facts = [
            [
                [v.instance.id, v.vm and v.vm.id, v.vm and v.vm.state, v.disk and v.disk.id, repr(v.drift), v.settled]
                for v in self.instances
            ],
            [v.instance.id for v in self.instances if v.on_trial],
            [vm.id for vm in self.strangers],
            [disk.id for disk in self.stray_disks],
            [[m.id, m.name, m.learner] for m in self.members or ()],
            self.missing_authorities,
            self.missing_certificates,
            sorted(self.recorded.items()),
            [v.instance.id for v in self.instances if not v.prepared],
        ]
        return fingerprint_of(facts)


def role_of(vm: Vm) -> Role | None:
    """What a machine was made for, as its tags tell; None for one whose tags do not."""
    told = dict(vm.tags).get("role", vm.instance.partition("/")[0])
    return Role(told) if told in set(Role) else None


def fingerprint_of(facts: Any) -> str:
    """A short digest of JSON-able *facts*."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
