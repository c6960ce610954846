"""Ensures the cluster's endpoints: the API in front of the masters, the services in front of the workers."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.errors import Unavailable
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.ingress import Backend, Endpoint, EndpointRequest, Health
from kubo_sdk.steps.context import StepContext

API = "api"
SERVICES = "services"


def endpoint_requests(
    spec: ClusterSpec, vms: Mapping[str, Vm], *, node_ports: bool = True
) -> tuple[EndpointRequest, ...]:
    """The endpoints as wished for, with the machines known so far; only the API without *node_ports*.  Pure."""

    def backends(role: Role) -> tuple[Backend, ...]:
        return tuple(
            Backend(instance=instance.id, address=vms[instance.id].address, vm=vms[instance.id].id)
            for instance in spec.instances(role)
            if instance.id in vms
        )

    api_port = spec.kubernetes.api_port
    proxies = backends(Role.PROXY)
    api = EndpointRequest(
        name=API,
        ports=(api_port, api_port),
        backends=backends(Role.MASTER),
        health=Health.HTTPS_READYZ,
        proxies=proxies,
    )
    services = EndpointRequest(
        name=SERVICES,
        ports=spec.network.node_ports,
        backends=backends(Role.WORKER),
        health=Health.KUBE_PROXY,
        proxies=proxies,
    )
    return (api, services) if node_ports else (api,)


def ensure_endpoints(context: StepContext, _step: Step | None) -> None:
    ingress = context.providers.ingress
    vms = {name: vm for name, vm in context.state.vms.items() if name not in context.state.withdrawn}
    for request in endpoint_requests(context.spec, vms, node_ports=ingress.info().serves_node_ports):
        context.state.endpoints[request.name] = _ensured(context, request)
    context.state.surroundings = None


def _ensured(context: StepContext, request: EndpointRequest) -> Endpoint:
    """Where masters register themselves nothing is made here, so a cluster that is there goes on without the check."""
    ingress = context.providers.ingress
    api, exists = ingress.info().api, any(context.state.manifests.values())
    try:
        return ingress.ensure_endpoint(request)
    except Unavailable as error:
        if api is None or not exists:
            raise
        context.say(f"whether masters may register is not checked: {error}")
        return api


def withdraw(context: StepContext, instance: str) -> None:
    """Have nobody sent to the machine any more, where that is for a balancer outside the cluster to do."""
    info = context.providers.ingress.info()
    if not info.runs_on_proxies and not info.self_registering:
        context.state.withdrawn.add(instance)
        ensure_endpoints(context, None)


def delete_endpoints(context: StepContext, step: Step) -> None:
    for name in step.details:
        context.providers.ingress.delete_endpoint(name)
