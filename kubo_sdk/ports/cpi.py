"""Cpi: the machines of an infrastructure, and the tags that say whose they are.

The measure is the BOSH CPI, version 2: idempotent creation, tags at creation, partial resources removed on failure,
deleting what is absent succeeds.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol

from attrs import frozen

from kubo_sdk.model.instance import ClusterId, Instance
from kubo_sdk.model.spec import VmSize
from kubo_sdk.ports.shell import Shell

CPI_CONTRACT = 1


class VmState(StrEnum):
    """The four states the core tells apart."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class CpiInfo:
    """What this CPI can do; read at planning time.

    ``stemcell`` names what a machine made now is made from, and changes with its content.  Machines made from another
    one are replaced.  Empty: the CPI does not tell, and machines stay as they are.
    ``stock_images``: machines start from a stock Debian or Ubuntu image, and the core prepares them.
    """

    contract: int = CPI_CONTRACT
    disks: bool = False
    zones: bool = False
    shares_trees: bool = False
    stemcell: str = ""
    stock_images: bool = False


@frozen(kw_only=True)
class SharedTree:
    """A read-only directory of this host that the machine sees at *target*.  Only where ``shares_trees``."""

    source: Path
    target: PurePosixPath


@frozen(kw_only=True)
class VmRequest:
    """One machine, as wished for.

    ``token`` makes creation idempotent: a second request with the same token returns the first machine.  It is unique
    within its cluster; in another cluster the same token means another machine.
    ``disks`` are attached and mounted before anything of the core runs on the machine.
    ``tags`` are set together with the machine and survive whatever happens to it.
    """

    cluster: ClusterId
    instance: Instance
    token: str
    size: VmSize = VmSize()
    disks: tuple[str, ...] = ()
    trees: tuple[SharedTree, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Vm:
    """One machine, as found.  ``instance`` is the id of the slot it fills (``worker/0``), read from its tags.

    ``address`` is the IPv4 address other machines of the cluster reach it at; empty while it has none.
    ``id`` and ``provider_id`` are stable for the life of the machine, and no machine after it gets them again;
    ``provider_id`` is what its Node reports.  ``az`` is the zone of the instance, which ``info().zones`` obeys.
    """

    id: str
    cluster: ClusterId
    instance: str
    token: str
    state: VmState
    address: str
    az: str
    provider_id: str
    disks: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class DiskRequest:
    """One persistent disk, as wished for.  Mounted at ``/var/lib/kubo/disk`` on the machine it is attached to."""

    cluster: ClusterId
    instance: Instance
    token: str
    size_mb: int


@frozen(kw_only=True)
class Disk:
    """One persistent disk, as found.  It outlives its machine."""

    id: str
    cluster: ClusterId
    instance: str
    token: str
    size_mb: int
    attached_to: str | None = None


class Cpi(Protocol):
    """Machines.  Deleting what is absent succeeds; creating what exists returns it.

    All that is known is in the infrastructure, so any process that connects sees the same.  A process may be killed at
    any moment: what it left is listed, can be deleted, and is completed by the next call with the same token.
    """

    def info(self) -> CpiInfo:
        """What this CPI can do.  Asks nobody."""
        ...

    def prepare(self, cluster: ClusterId) -> None:
        """Make what the machines of *cluster* share (stemcell, network, security groups).  Cheap when it is there.

        Raises HostError or ProviderError when the infrastructure cannot carry a cluster, Conflict when the name
        belongs to another director.
        """
        ...

    def create_vm(self, request: VmRequest) -> Vm:
        """Create and start one machine; return once its shell can be opened, without waiting for its boot to end.

        The same token again, by whatever thread or process, returns the same machine, started if it was stopped.  When
        it raises, nothing of the machine is left and its disks are free.  QuotaExceeded when there is no room,
        NotFound for a disk that is not there, Conflict for one that another machine has.
        """
        ...

    def delete_vm(self, vm_id: str) -> None:
        """Stop and remove one machine, half-made ones too.  Its persistent disks are detached and kept.

        Succeeds for an id that is not there, whatever it looks like.
        """
        ...

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        """Every machine carrying the cluster's tags, whatever its state, half-made ones included; nobody else's.

        What was made or deleted may take seconds to show.  Empty for a cluster that was never prepared.
        """
        ...

    def reboot_vm(self, vm_id: str) -> None:
        """Stop the machine hard and start it again with the same disks, address, ids, tags and files.  NotFound."""
        ...

    def open_shell(self, vm: Vm) -> Shell:
        """The way onto the machine.  Opening costs nothing; running may raise Unavailable."""
        ...

    def dispose(self, cluster: ClusterId) -> None:
        """Remove what `prepare` made for this cluster alone.  Called after the last machine and disk are gone.

        Succeeds when there is nothing to remove.  The cluster can be prepared again.
        """
        ...


class DiskCpi(Cpi, Protocol):
    """A CPI with persistent disks (``info().disks``)."""

    def create_disk(self, request: DiskRequest) -> Disk:
        """Create one empty, formatted disk.  The same token of the same cluster again returns the same disk.

        When it raises, nothing is left.  QuotaExceeded when there is no room.
        """
        ...

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        """Attach and mount the disk.  Conflict when another machine has it; NotFound.  May be done twice."""
        ...

    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        """Unmount and detach the disk.  Succeeds when it is not attached there, or either is gone."""
        ...

    def delete_disk(self, disk_id: str) -> None:
        """Destroy the disk and what is on it.  Conflict while it is attached.  Succeeds when it is not there."""
        ...

    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        """Every disk carrying the cluster's tags, and nobody else's."""
        ...
