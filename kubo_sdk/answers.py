"""What the API and etcd tell about a cluster, asked past whatever does not answer.  Changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from attrs import field, frozen

from kubo_sdk.clients.kubernetes import NodeStatus
from kubo_sdk.errors import KuboError
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.health import EtcdMemberView
from kubo_sdk.planning.membership import slug_of_instance
from kubo_sdk.steps.access import any_server_client, etcd_client, etcd_hosts, kubernetes_client
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.control_plane import RECORD_NAME, RECORD_NAMESPACE

API_PATIENCE = 2.0

T = TypeVar("T")
R = TypeVar("R")


@frozen(kw_only=True)
class ApiAnswer:
    """What the API told: the Nodes by name, and the cluster's own record."""

    ready: bool = False
    nodes: Mapping[str, NodeStatus] = field(factory=dict)
    recorded: Mapping[str, str] = field(factory=dict)


def ask_api(spec: ClusterSpec, state: RunState) -> ApiAnswer:
    """Whether the API answers through its endpoint; and what it tells, be it past the endpoint."""
    try:
        ready = kubernetes_client(state, timeout=API_PATIENCE).ready()
    except KuboError:
        ready = False
    try:
        client = any_server_client(spec, state, timeout=API_PATIENCE)
        nodes = {node.name: node for node in client.nodes()}
    except KuboError:
        return ApiAnswer()
    try:
        record = client.get(f"/api/v1/namespaces/{RECORD_NAMESPACE}/configmaps/{RECORD_NAME}")
    except KuboError:
        return ApiAnswer(ready=ready, nodes=nodes)
    return ApiAnswer(ready=ready, nodes=nodes, recorded=dict(record.get("data") or {}))


def ask_etcd(spec: ClusterSpec, state: RunState) -> tuple[EtcdMemberView, ...] | None:
    """The members, as one of those knows them that serve; None when none does."""
    hosts = etcd_hosts(spec, state)
    try:
        client = etcd_client(spec, state, timeout=API_PATIENCE)
        healthy = [host for host, serves in zip(hosts, in_parallel(client.healthy, hosts), strict=True) if serves]
        if not healthy:
            return None
        members, leader = client.members_at(healthy[0]), client.status(healthy[0]).leader
    except KuboError:
        return None
    slugs = {vm.address: slug_of_instance(vm.instance) for vm in state.vms.values()}
    serving = {slugs[host] for host in healthy}
    return tuple(
        EtcdMemberView(
            id=member.id,
            name=member.name,
            peer_urls=member.peer_urls,
            learner=member.learner,
            healthy=member.name in serving,
            leader=member.id == leader,
        )
        for member in members
    )


def raft_indexes(spec: ClusterSpec, state: RunState) -> dict[str, int]:
    """How much each etcd member that answers has seen, by instance; works without a majority."""
    client, found = etcd_client(spec, state, timeout=API_PATIENCE), {}
    for name in (instance.id for instance in spec.instances(Role.ETCD) if instance.id in state.vms):
        with contextlib.suppress(KuboError):
            found[name] = client.status(state.vms[name].address).raft_index
    return found


def in_parallel(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What *function* says of each of the *items*, asked all at once, in their order."""
    wanted = list(items)
    if not wanted:
        return []
    with ThreadPoolExecutor(min(32, len(wanted)), thread_name_prefix="kubo-observe") as pool:
        return list(pool.map(function, wanted))
