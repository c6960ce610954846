"""Machines: how one is made, watched while it starts, stopped, and removed when it was made in vain."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from typing import TypeVar

from attrs import field, frozen

from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Vm, VmRequest, VmState
from kubo_sdk.ssh import new_key_pair, public_key_of
from kubo_sdk_libcloud.clouds import tags
from kubo_sdk_libcloud.clouds.cloud import Cloud, Completing, Machine, MachineState, MachineWish
from kubo_sdk_libcloud.login import LoginKeys
from kubo_sdk_libcloud.user_data import user_data

log = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds for which a cloud may not tell of what it has just made.
SEEN_WITHIN = 60.0
_STATES = {
    MachineState.STARTING: VmState.STARTING,
    MachineState.RUNNING: VmState.RUNNING,
    MachineState.STOPPING: VmState.STOPPED,
    MachineState.STOPPED: VmState.STOPPED,
}
# It does not come up however long one waits.
_NEVER = (MachineState.GONE, MachineState.FAILED)
_NO_ROOM = re.compile(
    r"limit ?exceeded|insufficient|quota|no valid host|not enough|allocation ?failed|exhausted", re.IGNORECASE
)


def key_of(kind: str, cluster: ClusterId, token: str) -> str:
    """The key of a wish: the same for the same thing, whoever asks."""
    return hashlib.sha256(f"{kind}\0{cluster.director}\0{cluster.name}\0{token}".encode()).hexdigest()[:32]


def name_of(cluster: ClusterId, slug: str) -> str:
    """What people see in the cloud's own lists."""
    return re.sub(r"[^a-z0-9-]+", "-", f"{cluster.name}-{slug}".lower())[:63].strip("-")


@frozen(kw_only=True)
class Machines:
    """``interval``: seconds between two questions to the cloud; ``boot_timeout``: how long a machine may take."""

    cloud: Cloud = field(repr=False)
    login: LoginKeys = field(repr=False)
    user: str
    boot_timeout: float
    interval: float
    clock: Clock = field(repr=False)

    def ensure(self, request: VmRequest) -> tuple[Machine, bool]:
        """The machine of *request*, and whether it was made now.  The caller holds the lock of its token."""
        listed = self.cloud.list_machines(request.cluster, request.token)
        found = sorted((each for each in listed if each.state is not MachineState.FAILED), key=lambda each: each.id)
        for extra in (*found[1:], *(each for each in listed if each.state is MachineState.FAILED)):
            self.cloud.delete_machine(extra.id)
        if found:
            return found[0], False
        try:
            return self.cloud.create_machine(self._wish(request)), True
        except ProviderError:
            self._sweep(request)
            raise

    def _wish(self, request: VmRequest) -> MachineWish:
        cluster, instance = request.cluster, request.instance
        login_key = f"{public_key_of(self.login.ensure(cluster))} {cluster}"
        host_key, public = new_key_pair("")
        marks = {
            **tags.wished(request.tags),
            **tags.of_instance(cluster, instance.id, request.token, instance.az),
            tags.HOST_KEY: public,
        }
        return MachineWish(
            cluster=cluster,
            key=key_of("vm", cluster, request.token),
            name=name_of(cluster, instance.slug),
            zone=instance.az,
            size=request.size,
            user_data=user_data(self.user, login_key, host_key, public),
            login_key=login_key,
            tags=marks,
        )

    def _sweep(self, request: VmRequest) -> None:
        """Nobody knows whether the machine was made.  If so it goes; what cannot be seen yet is found by its token."""
        try:
            for left in self.cloud.list_machines(request.cluster, request.token):
                self.cloud.delete_machine(left.id)
        except KuboError as error:
            log.warning("whether %s was made could not be looked up: %s", request.instance, error)

    def started(self, machine: Machine, name: str) -> Machine:
        """The machine once it runs and has an address.  Raises when it goes, or does not come within the time."""
        began, seen = self.clock.monotonic(), False

        def up() -> Machine | None:
            nonlocal seen
            found = self.cloud.find_machine(machine.id)
            if found is None and not seen and self.clock.monotonic() - began < SEEN_WITHIN:
                return None
            seen = True
            if found is None or found.state in _NEVER:
                return found or Machine(id=machine.id, state=MachineState.GONE)
            if found.state is MachineState.STOPPED:
                self.cloud.start_machine(machine.id)
            return found if found.state is MachineState.RUNNING and found.private_address else None

        found = self._await(up, f"the start of {name} ({machine.id})")
        if found.state in _NEVER:
            raise _gone(name, found)
        if isinstance(self.cloud, Completing):
            self.cloud.complete_machine(found.id)
        return found

    def stopped(self, machine: Machine, name: str) -> None:
        """Stop it hard, and wait."""

        def down() -> bool | None:
            found = self.get(machine.id)
            return True if found.state is MachineState.STOPPED else None

        if machine.state is not MachineState.STOPPED:
            self.cloud.stop_machine(machine.id)
            self._await(down, f"the stop of {name} ({machine.id})")

    def get(self, machine_id: str) -> Machine:
        """The machine of ours that has this id; NotFound when there is none."""
        found = self.cloud.find_machine(machine_id)
        if found is None or found.state is MachineState.GONE or tags.owner(found.tags) is None:
            raise NotFound(f"there is no machine {machine_id}")
        return found

    def undo(self, machine: Machine, name: str) -> None:
        """Remove a machine that was made in vain; where that fails too, its tags still tell whose it is."""

        def gone() -> bool:
            self.cloud.delete_machine(machine.id)
            return True

        try:
            wait_until(gone, what=f"the end of {name}", timeout=60.0, interval=2.0, clock=self.clock)
        except KuboError as error:
            log.warning("the unfinished machine %s of %s was not removed: %s", machine.id, name, error)

    def _await(self, probe: Callable[[], T | None], what: str) -> T:
        return wait_until(probe, what=what, timeout=self.boot_timeout, interval=self.interval, clock=self.clock)


def _gone(name: str, machine: Machine) -> KuboError:
    reason = machine.reason or "the cloud gives no reason"
    if _NO_ROOM.search(machine.reason):
        return QuotaExceeded(f"there was no room to start {name} ({machine.id}): {reason}; raise the quota")
    return Unavailable(f"{name} ({machine.id}) went while it was made: {reason}", retry_after=2.0)


def vm_of(machine: Machine) -> Vm | None:
    """The machine as the port tells it; None for one without our tags."""
    cluster, instance = tags.owner(machine.tags), machine.tags.get(tags.INSTANCE)
    if cluster is None or not instance:
        return None
    return Vm(
        id=machine.id,
        cluster=cluster,
        instance=instance,
        token=machine.tags.get(tags.TOKEN, ""),
        state=_STATES.get(machine.state, VmState.UNKNOWN),
        address=machine.private_address,
        az=machine.tags.get(tags.ZONE, ""),
        provider_id=machine.provider_id or f"libcloud://{machine.id}",
        disks=machine.volumes,
        tags=tags.told(machine.tags),
    )
