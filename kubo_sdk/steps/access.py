"""The director's own clients of the running cluster, made from its credentials."""

from __future__ import annotations

from collections.abc import Sequence

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.observation import role_of
from kubo_sdk.ports.cpi import VmState
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.endpoints import API

ETCD_CLIENT_PORT = 2379

ADMIN = "admin"
SUPER_ADMIN = "super-admin"


def kubernetes_client(state: RunState, who: str = ADMIN, timeout: float = 5.0) -> KubernetesClient:
    """The API through its endpoint, as the administrator *who*."""
    api = state.endpoints.get(API)
    if api is None:
        raise NotFound("the API has no address yet; deploy the cluster")
    return _client(value_of(state.credentials, who, Certificate), api.host, api.port, timeout)


def server_client(spec: ClusterSpec, state: RunState, address: str, timeout: float = 5.0) -> KubernetesClient:
    """The API server of one master, past the endpoint."""
    return _client(value_of(state.credentials, ADMIN, Certificate), address, spec.kubernetes.api_port, timeout)


def any_server_client(spec: ClusterSpec, state: RunState, timeout: float = 2.0) -> KubernetesClient:
    """The API by whichever way is open: through its endpoint, or past it at one of the masters that run."""
    admin = value_of(state.credentials, ADMIN, Certificate)
    api, port = state.endpoints.get(API), spec.kubernetes.api_port
    ways = [(api.host, api.port)] if api is not None else []
    for master in spec.instances(Role.MASTER):
        vm = state.vms.get(master.id)
        if vm is not None and vm.state is VmState.RUNNING and vm.address:
            ways.append((vm.address, port))
    if not ways:
        raise NotFound(f"no master of cluster {spec.id} is running; deploy the cluster")
    return _any_client(admin, ways, timeout)


def _client(who: Certificate, host: str, port: int, timeout: float) -> KubernetesClient:
    return _any_client(who, [(host, port)], timeout)


def _any_client(who: Certificate, ways: Sequence[tuple[str, int]], timeout: float) -> KubernetesClient:
    return KubernetesClient(
        HttpsClient(ways, ca=who.ca, certificate=who.certificate, private_key=who.private_key, timeout=timeout)
    )


def etcd_client(spec: ClusterSpec, state: RunState, timeout: float = 5.0) -> EtcdClient:
    """etcd's members, spoken to directly with the director's own certificate."""
    director = value_of(state.credentials, "director-etcd", Certificate)
    hosts = etcd_hosts(spec, state)
    if not hosts:
        raise NotFound(f"no etcd member of cluster {spec.id} has a machine; deploy the cluster")
    return EtcdClient(
        HttpsClient(
            [(host, ETCD_CLIENT_PORT) for host in hosts],
            ca=director.ca,
            certificate=director.certificate,
            private_key=director.private_key,
            timeout=timeout,
        )
    )


def etcd_hosts(spec: ClusterSpec, state: RunState) -> tuple[str, ...]:
    """Where etcd's members are: those of the spec, then those it does not list any more."""
    members = [instance.id for instance in spec.instances(Role.ETCD)]
    unlisted = sorted(name for name in state.vms if spec.instance(name) is None)
    strangers = [name for name in unlisted if role_of(state.vms[name]) is Role.ETCD]
    machines = [state.vms[name] for name in (*members, *strangers) if name in state.vms]
    return tuple(vm.address for vm in machines if vm.address)
