"""Looks at the world: fills an Observation and the RunState a run starts from.  Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from attrs import field, frozen

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.errors import KuboError, NotFound, ProviderError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.push import changes, read_manifest
from kubo_sdk.pki.identities import Wanted, cluster_credentials
from kubo_sdk.pki.satisfaction import satisfies
from kubo_sdk.planning.delete import plan_delete
from kubo_sdk.planning.observation import Drift, InstanceView, Observation
from kubo_sdk.planning.plan import Plan
from kubo_sdk.ports.cpi import Cpi, Disk, DiskCpi, Vm, VmState
from kubo_sdk.providers import Providers
from kubo_sdk.releases.source import ReleaseSource
from kubo_sdk.steps.access import kubernetes_client
from kubo_sdk.steps.configure import wished_manifest
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.control_plane import RECORD_NAME, RECORD_NAMESPACE, wished_record
from kubo_sdk.steps.credentials import node_name, read_credentials, wanted_certificates
from kubo_sdk.steps.endpoints import API, endpoint_requests
from kubo_sdk.steps.names import wished_records

API_PATIENCE = 2.0

T = TypeVar("T")
R = TypeVar("R")


def observe(spec: ClusterSpec, providers: Providers, releases: ReleaseSource) -> tuple[Observation, RunState]:
    """What is there now.  A machine or an API that does not answer is an observation, not an error."""
    state = find_machines(spec, providers)
    state.release = releases.find(spec.kubernetes.version)
    disks: tuple[Disk, ...] = ()
    if providers.cpi.info().disks:
        disks = cast(DiskCpi, providers.cpi).list_disks(spec.id)
        state.disks.update({disk.instance: disk for disk in disks})
    read_credentials(providers.credential_store, spec, state)
    _read_manifests(spec, providers, state)
    wished = {instance.id for instance in spec.instances()}
    overlay = providers.overlay.info()
    told = _ask_api(state)
    return (
        Observation(
            instances=tuple(
                _view(spec, instance, state, _drift(spec, providers, state, instance), told)
                for instance in spec.instances()
            ),
            strangers=tuple(vm for vm in state.vms.values() if vm.instance not in wished),
            stray_disks=tuple(disk for disk in disks if disk.instance not in wished),
            release_cached=state.release is not None,
            missing_authorities=_unsatisfied(state, cluster_credentials(spec, overlay)),
            missing_certificates=_unsatisfied(
                state, wanted_certificates(spec, state.vms, state.endpoints.get(API), overlay)
            ),
            endpoints_current=API in state.endpoints,
            missing_names=_missing_names(spec, providers, state),
            api_ready=told.ready,
            credentials=tuple(sorted(state.credentials)),
            recorded=told.recorded,
            wished=wished_record(spec, providers.overlay),
        ),
        state,
    )


def find_machines(spec: ClusterSpec, providers: Providers) -> RunState:
    """The machines there are, and the endpoints in front of them."""
    state = RunState(vms={vm.instance: vm for vm in providers.cpi.list_vms(spec.id)})
    _read_endpoints(spec, providers, state)
    return state


def _read_endpoints(spec: ClusterSpec, providers: Providers, state: RunState) -> None:
    """A provider on the proxies has its endpoints where the proxies are; every other one is asked."""
    if providers.ingress.info().runs_on_proxies:
        proxies = spec.instances(Role.PROXY)
        if proxies and all(proxy.id in state.vms and state.vms[proxy.id].address for proxy in proxies):
            for request in endpoint_requests(spec, state.vms):
                state.endpoints[request.name] = providers.ingress.ensure_endpoint(request)
        return
    for endpoint in providers.ingress.list_endpoints():
        state.endpoints[endpoint.name] = endpoint


def _read_manifests(spec: ClusterSpec, providers: Providers, state: RunState) -> None:
    def read(instance: Instance) -> None:
        vm = state.vms.get(instance.id)
        state.manifests[instance.id] = None
        if vm is not None and vm.state is VmState.RUNNING:
            try:
                state.manifests[instance.id] = read_manifest(providers.cpi.open_shell(vm))
            except ProviderError:
                return

    _in_parallel(read, spec.instances())


def _in_parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    wanted = list(items)
    if not wanted:
        return []
    with ThreadPoolExecutor(min(32, len(wanted)), thread_name_prefix="kubo-observe") as pool:
        return list(pool.map(function, wanted))


@frozen(kw_only=True)
class ApiAnswer:
    """What the API told: the Nodes by name, and the cluster's own record."""

    ready: bool = False
    nodes: Mapping[str, NodeStatus] = field(factory=dict)
    recorded: Mapping[str, str] = field(factory=dict)


def _ask_api(state: RunState) -> ApiAnswer:
    try:
        client = kubernetes_client(state, timeout=API_PATIENCE)
        if not client.ready():
            return ApiAnswer()
        nodes = {node.name: node for node in client.nodes()}
    except KuboError:
        return ApiAnswer()
    try:
        record = client.get(f"/api/v1/namespaces/{RECORD_NAMESPACE}/configmaps/{RECORD_NAME}")
    except NotFound:
        return ApiAnswer(ready=True, nodes=nodes)
    return ApiAnswer(ready=True, nodes=nodes, recorded=dict(record.get("data") or {}))


def _view(spec: ClusterSpec, instance: Instance, state: RunState, drift: Drift | None, told: ApiAnswer) -> InstanceView:
    vm = state.vms.get(instance.id)
    return InstanceView(
        instance=instance,
        vm=vm,
        disk=state.disks.get(instance.id),
        configured=state.manifests.get(instance.id) is not None,
        drift=drift,
        ready=_node_ready(spec, instance, vm, told) if instance.role is Role.WORKER else told.ready,
    )


def _node_ready(spec: ClusterSpec, instance: Instance, vm: Vm | None, told: ApiAnswer) -> bool:
    """Whether the Node is Ready and is that of this very machine."""
    if vm is None:
        return False
    node = told.nodes.get(node_name(spec, instance, vm.address))
    return node is not None and node.ready and (node.instance, node.provider_id) == (instance.slug, vm.provider_id)


def _drift(spec: ClusterSpec, providers: Providers, state: RunState, instance: Instance) -> Drift | None:
    present = state.manifests.get(instance.id)
    try:
        wished = wished_manifest(spec, providers, state, instance)
    except NotFound:
        return None
    found = changes(wished, present)
    return Drift(files=found.touched_files, units=found.touched_units, unstarted=found.unstarted)


def _unsatisfied(state: RunState, wanted: tuple[Wanted, ...]) -> tuple[str, ...]:
    return tuple(
        item.leaf
        for item in wanted
        if item.leaf not in state.credentials
        or not satisfies(state.credentials[item.leaf], item.parameters, state.credentials)
    )


def _missing_names(spec: ClusterSpec, providers: Providers, state: RunState) -> tuple[str, ...]:
    if not providers.dns.info().publishes:
        return ()
    present = set(providers.dns.list_records())
    wished = wished_records(spec, state.vms, state.endpoints)
    return tuple(record.name for record in wished if record not in present)


def observe_for_delete(spec: ClusterSpec, providers: Providers, *, keep_disks: bool) -> Plan:
    """Everything that carries the cluster's tags, as a plan to take it away."""
    cpi = providers.cpi
    publishes = providers.dns.info().publishes
    root = spec.id.credential("").rstrip("/")
    return plan_delete(
        spec.id,
        vms=cpi.list_vms(spec.id),
        disks=cast(DiskCpi, cpi).list_disks(spec.id) if cpi.info().disks else (),
        credentials=[found.name for found in providers.credential_store.find(root)],
        endpoints=[endpoint.name for endpoint in providers.ingress.list_endpoints()],
        names=[record.name for record in providers.dns.list_records()] if publishes else (),
        keep_disks=keep_disks,
    )


def find_vm(spec: ClusterSpec, cpi: Cpi, instance_id: str) -> Vm:
    """The machine that fills the slot; NotFound names the instances that have one."""
    vms = {vm.instance: vm for vm in cpi.list_vms(spec.id)}
    if instance_id not in vms:
        there = ", ".join(sorted(vms)) or "none, deploy the cluster first"
        raise NotFound(f"cluster {spec.id} has no machine {instance_id!r}; there are: {there}")
    return vms[instance_id]
