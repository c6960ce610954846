"""Cloud: the little that every cloud does for the CPI.  All else (SSH, keys, mounting, undoing) is done once, above it.

Whatever a driver raises is told as an error of `kubo_sdk.errors`: QuotaExceeded, AuthError, NotFound and Conflict are
final; Unavailable is worth another try, and one that was turned down because there were too many calls says when.
Clouds are called by many threads at once: each thread has a driver of its own (`drivers.PerThread`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.spec import VmSize
from kubo_sdk_libcloud.firewall import Rule


class MachineState(StrEnum):
    """What a cloud says of a machine.  GONE: deleted or on its way, and never coming back.

    FAILED: the cloud could not make it, and never will; it is still there and must be deleted.
    """

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    FAILED = "failed"
    GONE = "gone"


@frozen(kw_only=True)
class CloudAbilities:
    """What one cloud can do.  ``client_tokens``: the cloud itself makes one machine of two equal requests."""

    volumes: bool = False
    zones: bool = False
    client_tokens: bool = False


@frozen(kw_only=True)
class MachineWish:
    """One machine, as the CPI wants it.

    ``key`` is the same for the same machine, whoever asks, and different in other clusters: 32 hexadecimal digits.
    ``name`` is for people, lower-case letters, digits and ``-``, at most 63.  ``zone`` is the zone of the spec (`z1`);
    the config says what the cloud calls it.  ``user_data`` is a #cloud-config, with our host key in it.
    ``login_key`` is the public line that may log in, for clouds that insist on it (it is in the user data as well).
    ``tags`` must come back from `list_machines` as they were given, whatever the cloud allows in tags of its own.
    """

    cluster: ClusterId
    key: str
    name: str
    zone: str
    size: VmSize
    user_data: str = field(repr=False)
    login_key: str
    tags: Mapping[str, str]


@frozen(kw_only=True)
class Machine:
    """One machine, as the cloud tells it.  ``volumes`` are attached or on their way; the root volume is not among them.

    ``private_address`` is what the cluster's machines reach it at; both addresses are empty while there are none.
    ``provider_id`` is empty where the cloud has no name of its own for it: the CPI then makes one.
    ``reason``: why the cloud stopped or refused it, for messages and for telling a lack of room.
    """

    id: str
    state: MachineState
    private_address: str = ""
    public_address: str = ""
    provider_id: str = ""
    volumes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
    reason: str = ""


@frozen(kw_only=True)
class VolumeWish:
    """One volume, as the CPI wants it; ``key``, ``name``, ``zone`` and ``tags`` as in `MachineWish`."""

    cluster: ClusterId
    key: str
    name: str
    zone: str
    size_mb: int
    tags: Mapping[str, str]


class VolumeState(StrEnum):
    """What a cloud says of a volume.  ATTACHING and DETACHING are on their way and may get stuck."""

    CREATING = "creating"
    FREE = "free"
    ATTACHING = "attaching"
    ATTACHED = "attached"
    DETACHING = "detaching"
    FAILED = "failed"


@frozen(kw_only=True)
class Volume:
    """One volume, as the cloud tells it.  One that is deleted or being deleted is not told at all."""

    id: str
    state: VolumeState
    size_mb: int
    attached_to: str = ""
    tags: Mapping[str, str] = field(factory=dict)


class Cloud(Protocol):
    """Machines, volumes and what a cluster shares.  No method waits for more than its own request.

    Everything is found again by its tags (`clouds.tags` say whose it is).  Deleting what is absent succeeds.
    """

    def abilities(self) -> CloudAbilities:
        """What this cloud can do.  Asks nobody."""
        ...

    def image(self) -> str:
        """What new machines are made from, as ``CpiInfo.stemcell`` tells it.  Asks nobody."""
        ...

    def ensure_shared(self, cluster: ClusterId, rules: tuple[Rule, ...], tags: Mapping[str, str]) -> None:
        """Make the cluster's security group, or correct it so that it holds exactly *rules*; check what must be there.

        Cheap when it is as it should be.  AuthError, NotFound (no such network, image, zone) or QuotaExceeded.
        """
        ...

    def remove_shared(self, cluster: ClusterId) -> None:
        """Remove what `ensure_shared` made, half-made too.  Unavailable while machines that are going still use it."""
        ...

    def create_machine(self, wish: MachineWish) -> Machine:
        """Ask for one machine with its tags.  The same ``key`` again gives the same one, unless that one is gone.

        The CPI has looked for it by its tags before, and lets no two threads of this process ask for the same key.
        QuotaExceeded when there is no room.  When it raises, the machine is not there, or is found by its tags.
        """
        ...

    def list_machines(self, cluster: ClusterId, token: str = "") -> tuple[Machine, ...]:
        """Every machine with the cluster's tags that is not GONE, half-made ones too; of *token* if given."""
        ...

    def find_machine(self, machine_id: str) -> Machine | None:
        """The machine of that id, GONE ones too while the cloud still tells; None for what is no id at all."""
        ...

    def delete_machine(self, machine_id: str) -> None:
        """Delete it with its root volume, addresses and interfaces.  Its other volumes are kept."""
        ...

    def start_machine(self, machine_id: str) -> None:
        """Start a stopped machine.  NotFound."""
        ...

    def stop_machine(self, machine_id: str) -> None:
        """Stop it hard; it keeps its private address, ids, tags and disks.  NotFound."""
        ...

    def create_volume(self, wish: VolumeWish) -> Volume:
        """Ask for one empty volume.  Idempotent as `create_machine` is."""
        ...

    def list_volumes(self, cluster: ClusterId, token: str = "") -> tuple[Volume, ...]:
        """Every volume with the cluster's tags that is not deleted; only those of *token* if given."""
        ...

    def find_volume(self, volume_id: str) -> Volume | None:
        """The volume of that id; None when it is not there, or is no id at all."""
        ...

    def attach_volume(self, machine_id: str, volume_id: str) -> None:
        """Ask for the attachment; the CPI waits for ATTACHED.  NotFound, Conflict when another machine has it."""
        ...

    def detach_volume(self, machine_id: str, volume_id: str, *, force: bool = False) -> None:
        """Ask for the detachment; the CPI waits for FREE.  Succeeds when it is not attached there."""
        ...

    def delete_volume(self, volume_id: str) -> None:
        """Delete it.  Conflict while it is attached."""
        ...

    def device_patterns(self, machine_id: str, volume_id: str) -> tuple[str, ...]:
        """Paths (with ``*``) below /dev where the volume may appear on the machine, the likeliest first."""
        ...


@runtime_checkable
class Completing(Protocol):
    """What a cloud can do beside, where not all of a machine can be asked for together with it."""

    def complete_machine(self, machine_id: str) -> None:
        """Do what is left, each time a machine is created or found half-made.  Cheap when it is done."""
        ...
