"""Ensures the cluster's two endpoints: the API in front of the masters, the services in front of the workers."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.ingress import Backend, EndpointRequest, Health
from kubo_sdk.steps.context import StepContext

API = "api"
SERVICES = "services"


def endpoint_requests(spec: ClusterSpec, vms: Mapping[str, Vm]) -> tuple[EndpointRequest, ...]:
    """The endpoints as wished for, with the machines known so far.  Pure."""

    def backends(role: Role) -> tuple[Backend, ...]:
        return tuple(
            Backend(instance=instance.id, address=vms[instance.id].address, vm=vms[instance.id].id)
            for instance in spec.instances(role)
            if instance.id in vms
        )

    api_port = spec.kubernetes.api_port
    proxies = backends(Role.PROXY)
    return (
        EndpointRequest(
            name=API,
            ports=(api_port, api_port),
            backends=backends(Role.MASTER),
            health=Health.HTTPS_READYZ,
            proxies=proxies,
        ),
        EndpointRequest(
            name=SERVICES,
            ports=spec.network.node_ports,
            backends=backends(Role.WORKER),
            health=Health.KUBE_PROXY,
            proxies=proxies,
        ),
    )


def ensure_endpoints(context: StepContext, _step: Step) -> None:
    for request in endpoint_requests(context.spec, context.state.vms):
        context.state.endpoints[request.name] = context.providers.ingress.ensure_endpoint(request)
    context.state.surroundings = None


def delete_endpoints(context: StepContext, step: Step) -> None:
    for name in step.details:
        context.providers.ingress.delete_endpoint(name)
