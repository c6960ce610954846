"""The director's own clients of the running cluster, made from its credentials."""

from __future__ import annotations

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kubernetes import KubernetesClient
from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
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


def _client(who: Certificate, host: str, port: int, timeout: float) -> KubernetesClient:
    return KubernetesClient(
        HttpsClient(
            [(host, port)], ca=who.ca, certificate=who.certificate, private_key=who.private_key, timeout=timeout
        )
    )


def etcd_client(spec: ClusterSpec, state: RunState, timeout: float = 5.0) -> EtcdClient:
    """etcd's members, spoken to directly with the director's own certificate."""
    director = value_of(state.credentials, "director-etcd", Certificate)
    return EtcdClient(
        HttpsClient(
            [(state.vms[member.id].address, ETCD_CLIENT_PORT) for member in spec.instances(Role.ETCD)],
            ca=director.ca,
            certificate=director.certificate,
            private_key=director.private_key,
            timeout=timeout,
        )
    )
