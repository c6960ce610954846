"""LedgerCpi: the port over any foreign BOSH CPI.  What exists is remembered in the ledger and verified with the CPI."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from attrs import field, frozen

from kubo_sdk.errors import Conflict, KuboError, NotFound, Unavailable
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import CpiInfo, Disk, DiskCpi, DiskRequest, Vm, VmRequest
from kubo_sdk.ports.shell import Shell
from kubo_sdk_boshcpi.ledger import Entry, Kind
from kubo_sdk_boshcpi.ledger_disks import LedgerDisks
from kubo_sdk_boshcpi.ledger_vms import LedgerVms
from kubo_sdk_boshcpi.locks import write_json

log = logging.getLogger(__name__)

# The connection breaks with the machine, so the reboot is put behind the end of the command.
_REBOOT = "(sleep 1; reboot -f) >/dev/null 2>&1 </dev/null &"


@frozen(kw_only=True)
class LedgerCpi:
    """Machines and disks of a BOSH CPI.  ``shell_of`` opens the way onto a machine of an entry."""

    vms: LedgerVms
    disks: LedgerDisks
    shell_of: Callable[[Entry], Shell] = field(repr=False)

    def info(self) -> CpiInfo:
        return CpiInfo(disks=True, zones=bool(self.vms.config.azs))

    def prepare(self, cluster: ClusterId) -> None:
        self.vms.stemcell.ensure(self.vms.client)
        write_json(self.vms.ledger.directory(cluster) / "cluster.json", {"executable": str(self.vms.config.executable)})

    def create_vm(self, request: VmRequest) -> Vm:
        ledger = self.vms.ledger
        with ledger.locked(self.vms.wish(request)) as there:
            entry, made = self.vms.ensure(there, request)
            try:
                self.vms.mark(entry, request)
                for disk_id in request.disks:
                    self.disks.attach(entry, disk_id)
            except Exception:
                if made:
                    self._undo(entry)
                raise
        return self.vms.vm(entry)

    def _undo(self, entry: Entry) -> None:
        """Remove a machine that was made in vain; where that fails too, the ledger still knows it."""
        try:
            self.vms.remove(entry)
        except KuboError as error:
            log.warning("the unfinished machine %s of %s was not removed: %s", entry.cid, entry.instance, error)

    def delete_vm(self, vm_id: str) -> None:
        found = self.vms.ledger.find(Kind.VM, vm_id)
        if found is None:
            return
        with self.vms.ledger.locked(found) as there:
            if there is not None and there.id == vm_id:
                self.vms.remove(there)

    def list_vms(self, cluster: ClusterId) -> tuple[Vm, ...]:
        return self.vms.list(cluster)

    def reboot_vm(self, vm_id: str) -> None:
        self.vms.reboot(self.vms.get(vm_id), self._reboot_itself)

    def _reboot_itself(self, entry: Entry) -> None:
        with suppress(Unavailable):
            self.shell_of(entry).run(["sh", "-c", _REBOOT]).check(f"the reboot of {entry.instance}")

    def open_shell(self, vm: Vm) -> Shell:
        return self.shell_of(self.vms.get(vm.id))

    def dispose(self, cluster: ClusterId) -> None:
        ledger = self.vms.ledger
        left = [entry.instance for kind in Kind for entry in ledger.entries(cluster, kind) if self._is_there(entry)]
        if left:
            raise Conflict(f"cluster {cluster} still has machines or disks ({', '.join(left)}); delete them first")
        doubted = [f"{each.kind} of {each.instance} (agent id {each.agent_id})" for each in ledger.doubted(cluster)]
        if doubted:
            raise Conflict(
                f"the BOSH CPI may have left behind, without ever telling its cid: {', '.join(doubted)}; "
                f"look for it at the infrastructure, then remove {ledger.doubts(cluster)}"
            )
        ledger.forget(cluster)
        if not ledger.clusters():
            self.vms.stemcell.remove(self.vms.client)

    def _is_there(self, entry: Entry) -> bool:
        if not entry.cid:
            return True
        return self.vms.exists(entry.cid) if entry.kind is Kind.VM else self.disks.exists(entry.cid)

    def create_disk(self, request: DiskRequest) -> Disk:
        return self.disks.create(request)

    def attach_disk(self, vm_id: str, disk_id: str) -> None:
        self.disks.attach(self.vms.get(vm_id), disk_id)

    def detach_disk(self, vm_id: str, disk_id: str) -> None:
        with suppress(NotFound):
            self.disks.detach(self.vms.get(vm_id), disk_id)

    def delete_disk(self, disk_id: str) -> None:
        self.disks.delete(disk_id)

    def list_disks(self, cluster: ClusterId) -> tuple[Disk, ...]:
        return self.disks.list(cluster)


_: type[DiskCpi] = LedgerCpi
