"""Ground: what must be known before anybody can be asked: the machines, the credentials, where the API is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import Any, cast

from attrs import field, frozen

from kubo_sdk.errors import Unavailable
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import LEAF as NOTES
from kubo_sdk.notes import NOTHING, DirectorNotes, notes_in
from kubo_sdk.pki.identities import cluster_credentials, needed_by
from kubo_sdk.pki.renewal import GAIN, due_at
from kubo_sdk.planning.rotation import AUTHORITIES
from kubo_sdk.ports.cpi import Disk, DiskCpi, Vm
from kubo_sdk.ports.credentials import Credential, CredentialSummary
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.probe.asking import AskingThreads
from kubo_sdk.probe.memory import Memory
from kubo_sdk.providers import Providers
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.found_endpoints import read_endpoints

# The only credentials that are opened: the director's own keys, and its notes.
OPENED = ("admin", "director-etcd", "etcd-root", NOTES)


@frozen(kw_only=True)
class Keys:
    """What the credential store told.  ``opened``: by leaf, those of `OPENED` that are there."""

    opened: Mapping[str, Credential] = field(factory=dict, repr=False)
    notes: DirectorNotes = NOTHING
    expiries: tuple[tuple[str, datetime], ...] = ()
    renewals: tuple[tuple[str, datetime], ...] = ()


class Ground:
    """Remembers the last answer of each provider, so that a slow one makes facts older and no probe slower."""

    def __init__(self, spec: ClusterSpec, providers: Providers, threads: AskingThreads) -> None:
        self._spec = spec
        self._providers = providers
        self._threads = threads
        self._leaves = _wished_leaves(spec, providers)
        self.vms: Memory[Mapping[str, Vm]] = Memory(who="CPI", value={})
        self.disks: Memory[tuple[Disk, ...]] = Memory(who="CPI", value=())
        self.keys: Memory[Keys] = Memory(who="credential store", value=Keys())
        self.endpoints: Memory[Mapping[str, Endpoint]] = Memory(who="ingress provider", value={})

    def look(self, now: datetime, first: float, later: float) -> None:
        """Ask all of them.  Wait *first* seconds for whom nothing is known of yet, else *later*.

        Raises what one of them raised that never answered yet, or Unavailable: without it nothing can be said, and
        machines that nobody lists are not machines that are gone.
        """
        started = monotonic()
        on_proxies = self._providers.ingress.info().runs_on_proxies
        self.vms.ask(self._threads, self._list_vms, now)
        self.keys.ask(self._threads, self._read_keys, now)
        self.disks.ask(self._threads, self._list_disks, now)
        if not on_proxies:
            self.endpoints.ask(self._threads, self._list_endpoints, now)
        memories: list[Memory[Any]] = [self.vms, self.keys, self.disks, *([] if on_proxies else [self.endpoints])]
        for memory in memories:
            patience = first if memory.at is None else later
            memory.settle(max(0.0, started + patience - monotonic()))
            if memory.at is None:
                raise memory.error or Unavailable(f"the {memory.who} did not answer within {first:g} s; ask again")
        if on_proxies:
            state = RunState(vms=dict(self.vms.value))
            read_endpoints(self._spec, self._providers, state)
            self.endpoints.value = state.endpoints

    def _list_vms(self) -> Mapping[str, Vm]:
        return {vm.instance: vm for vm in self._providers.cpi.list_vms(self._spec.id)}

    def _list_disks(self) -> tuple[Disk, ...]:
        cpi = self._providers.cpi
        return cast(DiskCpi, cpi).list_disks(self._spec.id) if cpi.info().disks else ()

    def _list_endpoints(self) -> Mapping[str, Endpoint]:
        ingress = self._providers.ingress
        api = ingress.info().api
        found = (api,) if api is not None else ingress.list_endpoints()
        return {endpoint.name: endpoint for endpoint in found}

    def _read_keys(self) -> Keys:
        """Summaries cost next to nothing; a credential is opened only when it has a new version."""
        store, root = self._providers.credential_store, self._spec.id.credential("")
        summaries = {found.name.removeprefix(root): found for found in store.find(root.rstrip("/"))}
        before, opened = self.keys.value, {}
        for leaf in OPENED:
            if leaf in summaries:
                known = before.opened.get(leaf)
                fresh = known is not None and known.version == summaries[leaf].version
                opened[leaf] = known if known is not None and fresh else store.get(summaries[leaf].name)
        return Keys(
            opened=opened,
            notes=notes_in(opened[NOTES]) if NOTES in opened else NOTHING,
            expiries=tuple(
                (leaf, found.expires_at)
                for leaf, found in summaries.items()
                if found.expires_at and leaf in self._leaves
            ),
            renewals=tuple(self._renewals(summaries)),
        )

    def _renewals(self, summaries: Mapping[str, CredentialSummary]) -> Iterator[tuple[str, datetime]]:
        """When each certificate is due that does not end because an authority does."""
        ends = [summaries[leaf].expires_at for leaf in AUTHORITIES if leaf in summaries]
        last = min((end for end in ends if end), default=None)
        for leaf, found in summaries.items():
            end = found.expires_at
            if end and last and leaf in self._leaves and leaf not in AUTHORITIES and end + GAIN < last:
                yield leaf, due_at(found.created_at, end, self._spec.health.renew_days)


def _wished_leaves(spec: ClusterSpec, providers: Providers) -> frozenset[str]:
    """What the cluster uses.  Instances that are gone may have left certificates behind, which may well expire."""
    overlay = providers.overlay.info()
    shared = (wanted.leaf for wanted in cluster_credentials(spec, overlay))
    infos = (overlay, providers.cluster_dns.info(), providers.ingress.info())
    own = (leaf for instance in spec.instances() for leaf in needed_by(spec, instance, *infos))
    return frozenset((*shared, *own))
