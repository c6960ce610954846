"""Reads where the endpoints of a cluster are, and whether they are as they should be.  Changes nothing."""

from __future__ import annotations

from kubo_sdk.errors import Unavailable
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Ingress
from kubo_sdk.providers import Providers
from kubo_sdk.steps.context import RunState
from kubo_sdk.steps.endpoints import API, endpoint_requests


def read_endpoints(spec: ClusterSpec, providers: Providers, state: RunState) -> bool:
    """Note where the endpoints are; returns whether the API's is as it should be.

    A provider on the proxies has its endpoints where the proxies are, one whose options say where the API is has it
    there; every other one is asked.
    """
    ingress, info = providers.ingress, providers.ingress.info()
    if info.runs_on_proxies:
        proxies = spec.instances(Role.PROXY)
        if proxies and all(proxy.id in state.vms and state.vms[proxy.id].address for proxy in proxies):
            for request in endpoint_requests(spec, state.vms, node_ports=info.serves_node_ports):
                state.endpoints[request.name] = ingress.ensure_endpoint(request)
    elif info.api is not None:
        state.endpoints[API] = info.api
        return _is_registered(ingress, info.api)
    else:
        state.endpoints.update((endpoint.name, endpoint) for endpoint in ingress.list_endpoints())
        wished = endpoint_requests(spec, state.vms, node_ports=info.serves_node_ports)
        return all(_is_current(state.endpoints.get(request.name), request) for request in wished)
    return API in state.endpoints


def _is_current(found: Endpoint | None, wished: EndpointRequest) -> bool:
    """Whether the endpoint is there, and leads where it should as far as anybody can tell."""
    if found is None or found.members is None:
        return found is not None
    return found.members == {backend.vm for backend in wished.backends}


def _is_registered(ingress: Ingress, api: Endpoint) -> bool:
    """Whether machines are registered there; nothing has to be done about it while nobody can tell."""
    try:
        return api in ingress.list_endpoints()
    except Unavailable:
        return True


def endpoints_to_delete(ingress: Ingress) -> tuple[str, ...]:
    """The names of those that have to be deleted.  Machines that register themselves may do so until they are gone."""
    if ingress.info().self_registering:
        return (API,)
    return tuple(endpoint.name for endpoint in ingress.list_endpoints())
