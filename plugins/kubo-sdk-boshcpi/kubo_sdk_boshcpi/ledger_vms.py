"""LedgerVms: the machines of a foreign CPI, made, found and removed with the help of the ledger."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from attrs import evolve, field, frozen

from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.cpi import Vm, VmRequest, VmState
from kubo_sdk_boshcpi import networks, wishes
from kubo_sdk_boshcpi.client import Client, LostAnswer
from kubo_sdk_boshcpi.config import BoshConfig, NetworkType
from kubo_sdk_boshcpi.creation import Creation
from kubo_sdk_boshcpi.faults import Unsupported
from kubo_sdk_boshcpi.ledger import Entry, Kind, Ledger
from kubo_sdk_boshcpi.secret_options import Secrets
from kubo_sdk_boshcpi.shell import fill
from kubo_sdk_boshcpi.stemcell import Stemcell

log = logging.getLogger(__name__)

AT_ONCE = 8


@frozen(kw_only=True)
class LedgerVms:
    """Machines whose cids only the ledger knows."""

    config: BoshConfig = field(repr=False)
    client: Client = field(repr=False)
    ledger: Ledger
    stemcell: Stemcell = field(repr=False)
    secrets: Secrets = field(repr=False)
    clock: Clock = field(repr=False)

    def wish(self, request: VmRequest) -> Entry:
        """The entry of the machine that *request* wants, before it exists."""
        return Entry(
            kind=Kind.VM,
            director=request.cluster.director,
            cluster=request.cluster.name,
            instance=request.instance.id,
            token=request.token,
            began=self.clock.now().isoformat(),
            az=request.instance.az,
            agent_id=wishes.agent_id(request.cluster, request.token),
            tags=request.tags,
        )

    def ensure(self, there: Entry | None, request: VmRequest) -> tuple[Entry, bool]:
        """The machine of *request*, and whether it was made now.  The caller holds its lock; *there* is its entry."""
        creation = Creation(self.ledger, self.client, "create_vm", self._created)
        if there is not None and not there.cid:
            there = creation.settle(there)
        if there is not None and self.exists(there.cid):
            return there, False
        arguments, entry = self._arguments(request)
        return creation.run(entry, *arguments), True

    def _arguments(self, request: VmRequest) -> tuple[tuple[Any, ...], Entry]:
        config, calculated = self.config, self._calculated(request)
        request = self.secrets.fill_request(request)
        properties = wishes.cloud_properties(calculated, config.cloud_properties, config.azs, request)
        wanted = networks.networks_of(config.networks, request.instance.az)
        stemcell = self.stemcell.ensure(self.client)
        entry = self._with_addresses(self.wish(request))
        settings = networks.settings(wanted, dict(entry.addresses))
        env = wishes.env(config.env, request)
        return (entry.agent_id, stemcell, properties, settings, list(request.disks), env), entry

    def _with_addresses(self, entry: Entry) -> Entry:
        """The entry, written down with an address in each manual network."""
        cluster = entry.owner
        wanted = networks.networks_of(self.config.networks, entry.az)
        manual = [network for network in wanted if network.type is NetworkType.MANUAL]
        if not manual:
            return entry
        with self.ledger.locked_addresses() as taken:
            had = self.ledger.remembered(cluster)
            chosen = {each.name: networks.choose(each, entry.slug, taken, had.get(each.name, {})) for each in manual}
            given = evolve(entry, addresses=tuple(chosen.items()), address=chosen.get(wanted[0].name, ""))
            self.ledger.write(given)
            more = {name: {**had.get(name, {}), entry.slug: address} for name, address in chosen.items()}
            self.ledger.remember(cluster, {**had, **more})
        return given

    def _calculated(self, request: VmRequest) -> dict[str, Any]:
        """What the CPI makes of the size; nothing where none is wanted or the CPI cannot tell."""
        size = request.size
        if not size.cpus and not size.memory_mb:
            return {}
        wanted = {
            "cpu": size.cpus or 1,
            "ram": size.memory_mb or 1024,
            "ephemeral_disk_size": self.config.ephemeral_disk_mb,
        }
        try:
            found = self.client.call("calculate_vm_cloud_properties", wanted)
        except Unsupported:
            log.warning("the BOSH CPI cannot turn a size into cloud properties; name them in the spec")
            return {}
        return found if isinstance(found, dict) else {}

    def _created(self, entry: Entry, result: Any) -> Entry:
        """Version 1 answers the cid alone, version 2 the cid and the networks."""
        cid, told = result if isinstance(result, list) and len(result) == 2 else (result, None)
        if not isinstance(cid, str) or not cid:
            raise LostAnswer("create_vm of the BOSH CPI answers with no cid; look into its log")
        done = evolve(entry, cid=cid, address=networks.address_in(told) or entry.address)
        return done if done.address else evolve(done, address=self._asked_address(cid))

    def _asked_address(self, cid: str) -> str:
        """What ``address_command`` prints; nothing while it fails."""
        argv = fill(self.config.address_command, "", cid)
        if not argv:
            return ""
        try:
            done = subprocess.run(argv, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("the address command %s failed: %s", argv[0], type(error).__name__)
            return ""
        return done.stdout.decode(errors="replace").strip().partition("\n")[0] if done.returncode == 0 else ""

    def mark(self, entry: Entry, request: VmRequest) -> None:
        """Tell the CPI whose machine it is, where it can write that down."""
        with suppress(Unsupported):
            self.client.call("set_vm_metadata", entry.cid, wishes.vm_metadata(request, self.clock.now()))

    def exists(self, cid: str) -> bool:
        """Whether the machine is there; a CPI that cannot tell is believed to have it."""
        return self.client.has("has_vm", cid)

    def remove(self, entry: Entry) -> None:
        """Delete the machine, or note that an unfinished one may exist.  The caller holds its lock."""
        if not entry.cid:
            settled = Creation(self.ledger, self.client, "create_vm", self._created).settle(entry)
            if settled is None:
                return
            entry = settled
        with suppress(NotFound):
            self.client.call("delete_vm", entry.cid)
        self.ledger.release(entry)
        self.ledger.remove(entry)

    def get(self, vm_id: str) -> Entry:
        """The finished entry of that id; NotFound when there is none."""
        entry = self.ledger.find(Kind.VM, vm_id)
        if entry is None or not entry.cid:
            raise NotFound(f"there is no machine {vm_id}")
        return entry

    def list(self, cluster: ClusterId) -> tuple[Vm, ...]:
        """Every machine of the ledger that the CPI still has, and those whose creation has not ended."""
        entries = self.ledger.entries(cluster, Kind.VM)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda entry: not entry.cid or self.exists(entry.cid), entries)
            there = [entry for entry, exists in zip(entries, found, strict=True) if exists]
        return tuple(self.vm(entry) for entry in there)

    def vm(self, entry: Entry) -> Vm:
        """The machine as the port tells it.  BOSH knows no more of its state than that it exists."""
        if entry.cid and not entry.address and self.config.address_command:
            entry = self._with_asked_address(entry)
        return Vm(
            id=entry.id,
            cluster=entry.owner,
            instance=entry.instance,
            token=entry.token,
            state=VmState.RUNNING if entry.cid else VmState.UNKNOWN,
            address=entry.address,
            az=entry.az,
            provider_id=f"bosh://{entry.id}",
            disks=tuple(disk.cid for disk in self.ledger.attached(entry)),
            tags=entry.tags,
        )

    def _with_asked_address(self, entry: Entry) -> Entry:
        address = self._asked_address(entry.cid)
        if not address:
            return entry
        with self.ledger.locked(entry) as there:
            if there is None or there.cid != entry.cid:
                return entry
            self.ledger.write(evolve(there, address=address))
        return evolve(entry, address=address)

    def reboot(self, entry: Entry, fallback: Callable[[Entry], None]) -> None:
        """Reboot the machine, through *fallback* where the CPI has no method for it."""
        try:
            self.client.call("reboot_vm", entry.cid)
        except Unsupported:
            log.debug("the BOSH CPI cannot reboot machines; %s reboots itself", entry.instance)
            fallback(entry)
