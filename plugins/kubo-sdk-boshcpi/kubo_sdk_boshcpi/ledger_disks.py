"""LedgerDisks: the persistent disks of a foreign CPI, made, attached, found and removed with the ledger's help."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from attrs import evolve, field, frozen

from kubo_sdk.disk_mounting import mount, unmount
from kubo_sdk.engine.clock import Clock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Conflict, NotFound, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Disk, DiskRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk_boshcpi import wishes
from kubo_sdk_boshcpi.client import Client, LostAnswer
from kubo_sdk_boshcpi.config import BoshConfig
from kubo_sdk_boshcpi.creation import Creation
from kubo_sdk_boshcpi.disk_hints import device_patterns
from kubo_sdk_boshcpi.faults import DiskNotAttached, Unsupported
from kubo_sdk_boshcpi.ledger import Entry, Kind, Ledger
from kubo_sdk_boshcpi.ledger_vms import AT_ONCE, LedgerVms


@frozen(kw_only=True)
class LedgerDisks:
    """Disks whose cids only the ledger knows.  ``shell_of`` opens the way onto a machine."""

    config: BoshConfig = field(repr=False)
    client: Client = field(repr=False)
    ledger: Ledger
    vms: LedgerVms
    shell_of: Callable[[Entry], Shell] = field(repr=False)
    clock: Clock = field(repr=False)

    def create(self, request: DiskRequest) -> Disk:
        """Make the disk, or return the one that this token made before."""
        creation = Creation(self.ledger, self.client, "create_disk", _created)
        wished = self._wish(request)
        with self.ledger.locked(wished) as there:
            known = creation.settle(there) if there is not None and not there.cid else there
            if known is None or not self.exists(known.cid):
                known = creation.run(wished, request.size_mb, dict(self.config.disk_properties), None)
                with suppress(Unsupported):
                    marks = wishes.disk_metadata(request.cluster, known.instance, known.token)
                    self.client.call("set_disk_metadata", known.cid, marks)
        return self.disk(known)

    def _wish(self, request: DiskRequest) -> Entry:
        return Entry(
            kind=Kind.DISK,
            director=request.cluster.director,
            cluster=request.cluster.name,
            instance=request.instance.id,
            token=request.token,
            began=self.clock.now().isoformat(),
            size_mb=request.size_mb,
        )

    def attach(self, vm: Entry, disk_id: str) -> None:
        """Attach and mount the disk.  Conflict when another machine has it."""
        with self.ledger.locked(self._get(disk_id)) as disk:
            if disk is None:
                raise NotFound(f"there is no disk {disk_id}")
            self._check_free(vm, disk)
            if disk.attached_to == vm.cid:
                if disk.mounted:
                    return
                self._let_go(vm, disk)  # the hint of an interrupted attachment is lost, so it is made again
            self.ledger.write(evolve(disk, attached_to=vm.cid, mounted=False))
            hint = self.client.call("attach_disk", vm.cid, disk.cid)
            patterns = device_patterns(hint, self.config.disk_device)
            if patterns:
                self._mount(vm, patterns)
            self.ledger.write(evolve(disk, attached_to=vm.cid, mounted=True))

    def _check_free(self, vm: Entry, disk: Entry) -> None:
        if disk.attached_to in ("", vm.cid) or not self.vms.exists(disk.attached_to):
            return
        holder = self.ledger.find(Kind.VM, disk.attached_to)
        name = holder.instance if holder is not None else disk.attached_to
        raise Conflict(f"disk {disk.cid} is attached to {name}; detach it there first")

    def _mount(self, vm: Entry, patterns: tuple[str, ...]) -> None:
        """Mount it as soon as the machine can be entered."""

        def mounted() -> bool:
            mount(self.shell_of(vm), patterns, vm.instance)
            return True

        wait_until(
            mounted, what=f"the mounting of the disk of {vm.instance}", timeout=self.config.boot_timeout, interval=1.0
        )

    def detach(self, vm: Entry, disk_id: str) -> None:
        """Unmount and detach the disk; a machine that cannot be entered keeps nobody from detaching."""
        with self.ledger.locked(self._get(disk_id)) as disk:
            if disk is None or disk.attached_to != vm.cid:
                return
            with suppress(Unavailable, NotFound):
                unmount(self.shell_of(vm), vm.instance)
            self._let_go(vm, disk)
            self.ledger.write(evolve(disk, attached_to="", mounted=False))

    def _let_go(self, vm: Entry, disk: Entry) -> None:
        with suppress(NotFound, DiskNotAttached):
            if self._is_on(vm, disk):
                self.client.call("detach_disk", vm.cid, disk.cid)

    def _is_on(self, vm: Entry, disk: Entry) -> bool:
        try:
            return disk.cid in (self.client.call("get_disks", vm.cid) or ())
        except Unsupported:
            return True

    def delete(self, disk_id: str) -> None:
        """Destroy the disk.  Conflict while it is attached."""
        found = self.ledger.find(Kind.DISK, disk_id)
        if found is None:
            return
        with self.ledger.locked(found) as there:
            disk = self._settled(there)
            if disk is None:
                return
            if disk.attached_to and self.vms.exists(disk.attached_to):
                raise Conflict(f"disk {disk_id} is attached to {disk.attached_to}; detach it first")
            with suppress(NotFound):
                self.client.call("delete_disk", disk.cid)
            self.ledger.remove(disk)

    def _settled(self, disk: Entry | None) -> Entry | None:
        if disk is None or disk.cid:
            return disk
        return Creation(self.ledger, self.client, "create_disk", _created).settle(disk)

    def list(self, cluster: ClusterId) -> tuple[Disk, ...]:
        """Every disk of the ledger that the CPI still has, and those whose creation has not ended."""
        entries = self.ledger.entries(cluster, Kind.DISK)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda entry: not entry.cid or self.exists(entry.cid), entries)
            return tuple(self.disk(entry) for entry, exists in zip(entries, found, strict=True) if exists)

    def exists(self, cid: str) -> bool:
        """Whether the disk is there; a CPI that cannot tell is believed to have it."""
        return self.client.has("has_disk", cid)

    def disk(self, entry: Entry) -> Disk:
        """The disk as the port tells it."""
        return Disk(
            id=entry.id,
            cluster=entry.owner,
            instance=entry.instance,
            token=entry.token,
            size_mb=entry.size_mb,
            attached_to=entry.attached_to or None,
        )

    def _get(self, disk_id: str) -> Entry:
        entry = self.ledger.find(Kind.DISK, disk_id)
        if entry is None or not entry.cid:
            raise NotFound(f"there is no disk {disk_id}")
        return entry


def _created(entry: Entry, result: Any) -> Entry:
    if not isinstance(result, str) or not result:
        raise LostAnswer("create_disk of the BOSH CPI answers with no cid; look into its log")
    return evolve(entry, cid=result)
