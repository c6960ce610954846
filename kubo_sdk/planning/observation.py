"""Observation: what is there, as far as planning needs to know it.  `kubo_sdk.observe` fills it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from kubo_sdk.model.instance import Instance
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

    ``drift`` is None while it cannot be known: no machine, no address or no certificates yet.
    ``ready``: its Node is Ready, its etcd member healthy, its API server answers; True for roles without such a word.
    """

    instance: Instance
    vm: Vm | None = None
    disk: Disk | None = None
    configured: bool = False
    drift: Drift | None = None
    ready: bool = False

    @property
    def exists(self) -> bool:
        """True when a complete machine fills the slot, running or not."""
        return self.vm is not None and self.vm.state is not VmState.STARTING

    @property
    def is_stopped(self) -> bool:
        return self.vm is not None and self.vm.state is VmState.STOPPED


@frozen(kw_only=True)
class Observation:
    """Everything planning looks at.

    ``recorded`` holds the digests the cluster keeps of what was applied to it (bootstrap objects, etcd access);
    ``wished`` the digests it should keep.
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
                [v.instance.id, v.vm and v.vm.id, v.vm and v.vm.state, v.disk and v.disk.id, repr(v.drift)]
                for v in self.instances
            ],
            [vm.id for vm in self.strangers],
            [disk.id for disk in self.stray_disks],
            self.missing_authorities,
            self.missing_certificates,
            sorted(self.recorded.items()),
        ]
        return fingerprint_of(facts)


def fingerprint_of(facts: Any) -> str:
    """A short digest of JSON-able *facts*."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
