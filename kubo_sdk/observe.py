"""Looks at the world: fills an Observation and the RunState a run starts from.  Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar, cast

from attrs import frozen

from kubo_sdk.answers import ApiAnswer, ask_api, ask_etcd, in_parallel
from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.drift import Difference, Differences
from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.release import CarriedRelease
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.nodes.machine import MachineManifest
from kubo_sdk.nodes.push import read_manifest
from kubo_sdk.notes import LEAF as NOTES
from kubo_sdk.notes import notes_in
from kubo_sdk.pki.identities import Wanted, cluster_credentials, stray_credentials
from kubo_sdk.planning.delete import plan_delete
from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.planning.observation import InstanceView, Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.ports.cpi import Cpi, Disk, DiskCpi, Vm, VmState
from kubo_sdk.ports.dns import Dns, Record
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.control_plane import wished_record
from kubo_sdk.steps.credentials import is_expiring, is_satisfied, node_name, read_credentials, wanted_certificates
from kubo_sdk.steps.drain import CORDONED
from kubo_sdk.steps.endpoints import API
from kubo_sdk.steps.found_endpoints import endpoints_to_delete, read_endpoints
from kubo_sdk.steps.names import stale_names, wished_records
from kubo_sdk.steps.prepare import is_prepared, preparation_digests

API_PATIENCE = 2.0
MACHINE_PATIENCE = 10.0

T = TypeVar("T")
R = TypeVar("R")


def observe(
    spec: ClusterSpec,
    providers: Providers,
    releases: ReleaseSource,
    *,
    condemned: Collection[str] = (),
    silent: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[Observation, RunState]:
    """What is there now.  A machine or an API that does not answer is an observation, not an error.

    *condemned* are instances whose machines will be replaced: nobody counts on their addresses.  *silent* are those
    whose machines are known not to answer: nobody waits for them once more.  Certificates that are due at *now* count
    as missing.
    """
    state = RunState(vms={vm.instance: vm for vm in providers.cpi.list_vms(spec.id)})
    current = read_endpoints(spec, providers, state)
    state.release = releases.find(spec.kubernetes.version)
    disks = _read_disks(spec, providers.cpi, state)
    read_credentials(providers.credential_store, spec, state)
    instances, overlay, cluster_dns = spec.instances(), providers.overlay.info(), providers.cluster_dns.info()
    told, members, unheard = _ask(spec, providers, state, silent)
    authorities = _unsatisfied(spec, state, cluster_credentials(spec, overlay), now)
    ingress = providers.ingress.info()
    own = wanted_certificates(spec, state.vms, state.endpoints.get(API), overlay, cluster_dns, ingress)
    certificates = _unsatisfied(spec, state, own, now)
    unknown = tuple(each.id for each in instances if each.id in condemned or not _has_address(state, each))
    differences = Differences(
        spec, providers, state, unknown=unknown, missing={*authorities, *certificates} if state.endpoints else ()
    )
    look = _Look(
        spec=spec,
        state=state,
        told=told,
        members=members,
        silent=unheard,
        differences=differences,
        preparations=preparation_digests(spec, providers, state.release),
    )
    wished = {instance.id for instance in instances}
    names = _Names.read(spec, providers.dns, state)
    return (
        Observation(
            instances=tuple(look.view(instance) for instance in instances),
            strangers=tuple(vm for vm in state.vms.values() if vm.instance not in wished),
            stray_disks=tuple(disk for disk in disks if disk.instance not in wished),
            release_cached=state.release is not None,
            missing_authorities=authorities,
            missing_certificates=certificates,
            endpoints_current=current,
            missing_names=names.missing(),
            api_ready=told.ready,
            credentials=tuple(sorted(state.credentials)),
            recorded=told.recorded,
            wished=wished_record(spec, providers),
            members=members,
            unknown=unknown,
            nodes=tuple(sorted({node.instance for node in told.nodes.values() if node.instance})),
            stray_credentials=stray_credentials(spec, overlay, state.credentials, cluster_dns, ingress),
            stale_names=names.stale(),
            rotating=_rotating(state),
            release=state.release.carried if state.release is not None else None,
        ),
        state,
    )


def _read_disks(spec: ClusterSpec, cpi: Cpi, state: RunState) -> tuple[Disk, ...]:
    disks = cast(DiskCpi, cpi).list_disks(spec.id) if cpi.info().disks else ()
    state.disks.update({disk.instance: disk for disk in disks})
    return disks


def _ask(
    spec: ClusterSpec, providers: Providers, state: RunState, silent: Collection[str]
) -> tuple[ApiAnswer, tuple[EtcdMemberView, ...] | None, frozenset[str]]:
    """What the API and etcd say, and the machines that say nothing, all asked at once."""
    with ThreadPoolExecutor(2, thread_name_prefix="kubo-observe") as pool:
        asked, listed = pool.submit(ask_api, spec, state), pool.submit(ask_etcd, spec, state)
        unheard = _read_manifests(spec, providers, state, silent)
        return asked.result(), listed.result(), unheard


def _rotating(state: RunState) -> tuple[str, ...]:
    notes = state.credentials.get(NOTES)
    return tuple(leaf for leaf, _ in notes_in(notes).rotating) if notes is not None else ()


def _has_address(state: RunState, instance: Instance) -> bool:
    vm = state.vms.get(instance.id)
    return vm is not None and bool(vm.address) and vm.state is not VmState.STARTING


@frozen(kw_only=True)
class _Look:
    """Everything the view of one instance is made from."""

    spec: ClusterSpec
    state: RunState
    told: ApiAnswer
    members: tuple[EtcdMemberView, ...] | None
    silent: frozenset[str]
    differences: Differences
    preparations: Mapping[Role, str]

    def view(self, instance: Instance) -> InstanceView:
        vm, carried = self.state.vms.get(instance.id), self.state.manifests.get(instance.id)
        difference = self.differences.of(instance) if vm is not None and carried is not None else Difference()
        return InstanceView(
            instance=instance,
            vm=vm,
            disk=self.state.disks.get(instance.id),
            configured=carried is not None,
            drift=difference.drift,
            settled=difference.settled,
            ready=self._is_ready(instance, vm),
            reachable=instance.id not in self.silent,
            units=tuple(name for name, target in carried.targets.items() if target) if carried is not None else (),
            releases=_releases(vm, carried),
            on_trial=carried is not None and carried.on_trial,
            prepared=is_prepared(self.preparations, instance, carried),
            cordoned=any(
                node.instance == instance.slug and CORDONED in node.annotations for node in self._nodes_of(instance, vm)
            ),
        )

    def _is_ready(self, instance: Instance, vm: Vm | None) -> bool:
        if instance.role is Role.WORKER:
            return _node_ready(self.spec, instance, vm, self.told)
        if instance.role is Role.ETCD:
            return any(member.healthy for member in self.members or () if member.name == instance.slug)
        return self.told.ready

    def _nodes_of(self, instance: Instance, vm: Vm | None) -> tuple[NodeStatus, ...]:
        node = self.told.nodes.get(node_name(self.spec, instance, vm.address)) if vm is not None else None
        return (node,) if node is not None else ()


def _releases(vm: Vm | None, carried: MachineManifest | None) -> tuple[CarriedRelease, ...]:
    """What the machine runs.  Where an older SDK wrote nothing down, the version that it was made with."""
    if vm is None or carried is None or carried.releases:
        return carried.releases if carried is not None else ()
    try:
        made_with = KubernetesVersion.parse(dict(vm.tags).get("kubernetes", ""))
    except ValueError:
        return ()
    return (CarriedRelease(kubernetes=made_with, etcd="", tree=""),)


def find_machines(spec: ClusterSpec, providers: Providers) -> RunState:
    """The machines there are, and the endpoints in front of them."""
    state = RunState(vms={vm.instance: vm for vm in providers.cpi.list_vms(spec.id)})
    read_endpoints(spec, providers, state)
    return state


def _read_manifests(
    spec: ClusterSpec, providers: Providers, state: RunState, silent: Collection[str]
) -> frozenset[str]:
    """Read what every running machine carries.  Returns the instances whose machines do not answer."""

    def read(instance: Instance) -> bool:
        vm = state.vms.get(instance.id)
        state.manifests[instance.id] = None
        if vm is not None and vm.state is VmState.RUNNING:
            if instance.id in silent:
                return False
            try:
                found = read_manifest(providers.cpi.open_shell(vm), timeout=MACHINE_PATIENCE)
            except ProviderError:
                return False
            state.manifests[instance.id] = found
            if found is not None and found.on_trial:
                state.on_trial.add(instance.id)
        return vm is None or vm.state is not VmState.UNKNOWN

    instances = spec.instances()
    answers = in_parallel(read, instances)
    return frozenset(instance.id for instance, answered in zip(instances, answers, strict=True) if not answered)


def _node_ready(spec: ClusterSpec, instance: Instance, vm: Vm | None, told: ApiAnswer) -> bool:
    """Whether the Node is Ready and is that of this very machine."""
    if vm is None:
        return False
    node = told.nodes.get(node_name(spec, instance, vm.address))
    return node is not None and node.ready and (node.instance, node.provider_id) == (instance.slug, vm.provider_id)


def _unsatisfied(
    spec: ClusterSpec, state: RunState, wanted: tuple[Wanted, ...], now: datetime | None
) -> tuple[str, ...]:
    there = state.credentials
    return tuple(item.leaf for item in wanted if not is_satisfied(item, there) or is_expiring(item, there, spec, now))


@frozen(kw_only=True)
class _Names:
    """The records there are, and those there ought to be; none of both where the provider has no server."""

    spec: ClusterSpec
    published: tuple[Record, ...] = ()
    wished: tuple[Record, ...] = ()

    @classmethod
    def read(cls, spec: ClusterSpec, dns: Dns, state: RunState) -> _Names:
        info = dns.info()
        if not info.publishes:
            return cls(spec=spec)
        wished = wished_records(spec, state.vms, state.endpoints, info.reverse_zones)
        return cls(spec=spec, published=dns.list_records(), wished=wished)

    def missing(self) -> tuple[str, ...]:
        present = set(self.published)
        return tuple(record.name for record in self.wished if record not in present)

    def stale(self) -> tuple[str, ...]:
        return stale_names(self.spec, self.published, self.wished)


def observe_for_delete(spec: ClusterSpec, providers: Providers, *, keep_disks: bool) -> tuple[Plan, RunState]:
    """Everything that carries the cluster's tags, as a plan to take it away."""
    cpi, ingress = providers.cpi, providers.ingress.info()
    publishes = providers.dns.info().publishes
    root = spec.id.credential("").rstrip("/")
    vms = cpi.list_vms(spec.id)
    plan = plan_delete(
        spec.id,
        vms=vms,
        disks=cast(DiskCpi, cpi).list_disks(spec.id) if cpi.info().disks else (),
        credentials=[found.name for found in providers.credential_store.find(root)],
        endpoints=endpoints_to_delete(providers.ingress),
        self_registering=ingress.self_registering,
        withdrawn_by=ingress.withdrawn_by,
        names=[record.name for record in providers.dns.list_records()] if publishes else (),
        keep_disks=keep_disks,
    )
    return plan, RunState(vms={vm.instance: vm for vm in vms})


def find_vm(spec: ClusterSpec, cpi: Cpi, instance_id: str) -> Vm:
    """The machine that fills the slot; NotFound names the instances that have one."""
    vms = {vm.instance: vm for vm in cpi.list_vms(spec.id)}
    if instance_id not in vms:
        there = ", ".join(sorted(vms)) or "none, deploy the cluster first"
        raise NotFound(f"cluster {spec.id} has no machine {instance_id!r}; there are: {there}")
    return vms[instance_id]
