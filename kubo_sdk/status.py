"""Reads how a cluster is: per instance what the CPI, etcd, the API server and the Node say, asked all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.errors import KuboError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.model.status import ClusterStatus, InstanceStatus
from kubo_sdk.observe import find_machines
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.providers import Providers
from kubo_sdk.steps.access import etcd_client, kubernetes_client, server_client
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.credentials import node_name, read_credentials
from kubo_sdk.steps.endpoints import API

PATIENCE = 1.5


def read_status(spec: ClusterSpec, providers: Providers) -> ClusterStatus:
    """How the cluster is now.  Nothing is changed; whoever does not answer within 1.5 s is reported as silent."""
    state = find_machines(spec, providers)
    read_credentials(providers.credential_store, spec, state)
    instances = spec.instances()
    with ThreadPoolExecutor(min(32, len(instances) + 1), thread_name_prefix="kubo-status") as pool:
        nodes = pool.submit(_nodes, state)
        facts = list(pool.map(lambda instance: _facts(spec, state, instance), instances))
        found = nodes.result()
    statuses = tuple(
        _status(spec, instance, state.vms.get(instance.id), fact, found)
        for instance, fact in zip(instances, facts, strict=True)
    )
    api = state.endpoints.get(API)
    return ClusterStatus(
        cluster=str(spec.id),
        kubernetes=str(spec.kubernetes.version),
        endpoint=f"https://{api.host}:{api.port}" if api else "",
        healthy=all(status.healthy for status in statuses) and found is not None,
        verdict=_verdict(statuses, api_answers=found is not None),
        instances=statuses,
    )


def _nodes(state: RunState) -> dict[str, NodeStatus] | None:
    """The Nodes by name; None when the API does not answer through its endpoint."""
    try:
        nodes = kubernetes_client(state, timeout=PATIENCE).nodes()
    except KuboError:
        return None
    return {node.name: node for node in nodes}


def _facts(spec: ClusterSpec, state: RunState, instance: Instance) -> dict[str, str]:
    vm = state.vms.get(instance.id)
    if vm is None or vm.state is not VmState.RUNNING:
        return {}
    try:
        if instance.role is Role.ETCD:
            healthy = etcd_client(spec, state, timeout=PATIENCE).healthy(vm.address)
            return {"etcd": "healthy" if healthy else "unhealthy"}
        if instance.role is Role.MASTER:
            return {"api": "ready" if server_client(spec, state, vm.address, PATIENCE).ready() else "not ready"}
    except KuboError as error:
        return {"etcd" if instance.role is Role.ETCD else "api": f"silent: {error}"}
    return {}


def _status(
    spec: ClusterSpec, instance: Instance, vm: Vm | None, facts: dict[str, str], nodes: dict[str, NodeStatus] | None
) -> InstanceStatus:
    facts = {"machine": str(vm.state) if vm else "missing", **facts}
    if instance.role is Role.WORKER:
        node = (nodes or {}).get(node_name(spec, instance, vm.address)) if vm else None
        facts["node"] = "unknown" if nodes is None else "missing" if node is None else _node_word(node)
    good = {"running", "healthy", "ready", "Ready"}
    return InstanceStatus(
        instance=instance.id,
        role=str(instance.role),
        state=facts["machine"],
        address=vm.address if vm else "",
        az=vm.az if vm else instance.az,
        healthy=all(fact in good for fact in facts.values()),
        facts=facts,
    )


def _node_word(node: NodeStatus) -> str:
    return "Ready" if node.ready else f"not Ready: {node.reason}"


def _verdict(statuses: tuple[InstanceStatus, ...], *, api_answers: bool) -> str:
    sick = [status.instance for status in statuses if not status.healthy]
    if all(status.state == "missing" for status in statuses):
        return "there is no cluster; run: kubo up"
    if not api_answers:
        return f"the API does not answer; unhealthy: {', '.join(sick) or 'nobody else'}"
    if sick:
        return f"{len(statuses) - len(sick)} of {len(statuses)} instances are healthy; unhealthy: {', '.join(sick)}"
    return f"healthy: {len(statuses)} instances"
