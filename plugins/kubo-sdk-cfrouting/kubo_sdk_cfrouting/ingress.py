"""CfRoutingIngress: the director's half.  It checks and takes away; the masters register themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, Unavailable
from kubo_sdk.model.instance import Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.ingress import Endpoint, EndpointRequest, Ingress, IngressInfo, IngressManifests
from kubo_sdk.ports.node import Contribution, NodeContext, NodeContributor
from kubo_sdk_cfrouting.agent.claim import check_owner, check_port, chosen, is_api_of, is_of
from kubo_sdk_cfrouting.agent.routing_api import RoutingApi
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError
from kubo_sdk_cfrouting.config import CfRoutingConfig
from kubo_sdk_cfrouting.manifests import KUBERNETES_USER, manifests
from kubo_sdk_cfrouting.node_files import Belongings, master_files, owner_of
from kubo_sdk_cfrouting.service_settings import ServiceBelongings, with_service_routes
from kubo_sdk_cfrouting.units import ROUTES_UNIT, UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "api"
# A machine that was on its way to register may do so once more.
ROUNDS = 3

_ERRORS: Mapping[Kind, type[ProviderError]] = {
    Kind.AWAY: Unavailable,
    Kind.DISTRUST: AuthError,
    Kind.LOGIN: AuthError,
    Kind.SCOPE: AuthError,
    Kind.MISSING: NotFound,
    Kind.TAKEN: Conflict,
    Kind.REFUSED: ProviderError,
}


class CfRoutingIngress:
    """``build_agent`` makes the file masters run; it is called once, when the first master needs it."""

    def __init__(
        self,
        config: CfRoutingConfig,
        spec: ClusterSpec,
        routing_api: RoutingApi,
        belongings: Belongings,
        services: ServiceBelongings,
        *,
        build_agent: Callable[[], bytes],
    ) -> None:
        self._config = config
        self._owner = owner_of(spec)
        self._routing_api = routing_api
        self._belongings = belongings
        self._services = services
        self._build_agent = build_agent
        port = config.external_port or spec.kubernetes.api_port
        self._api = Endpoint(name=API, host=config.tcp_domain, port=port)

    def info(self) -> IngressInfo:
        units = (UNIT, ROUTES_UNIT) if self._config.service_routes else (UNIT,)
        return IngressInfo(api=self._api, withdrawn_by=units, serves_node_ports=False, kubernetes_user=KUBERNETES_USER)

    def ensure_endpoint(self, request: EndpointRequest) -> Endpoint:
        """Check that the masters may register, without registering them: that is theirs, once they are ready.

        NotFound for a router group that is not there or not of type tcp, ProviderError for a port that is not its own,
        Conflict for one where somebody else is.
        """
        if request.name != API:
            raise ProviderError(f"cfrouting has no endpoint {request.name!r}; label services to give them routes")
        with _as_provider():
            api, config = self._routing_api, self._config
            group = chosen(api.router_groups(config.router_group), config.router_group)
            check_port(group, self._api.port)
            own = tuple(backend.address for backend in request.backends)
            check_owner(api.routes(), group, self._api.port, self._owner, own)
        return self._api

    def delete_endpoint(self, name: str) -> None:
        """Delete every route of this cluster, those of its services too."""
        if name != API:
            return
        with _as_provider():
            for _ in range(ROUNDS):
                ours = [route for route in self._routing_api.routes() if is_of(route, self._owner)]
                if not ours:
                    return
                self._routing_api.unregister(ours)

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """The API, where a machine is registered; at a port of former options while that is all there is."""
        with _as_provider():
            routes = self._routing_api.routes()
        ports = sorted({int(route["port"]) for route in routes if is_api_of(route, self._owner)})
        if not ports or self._api.port in ports:
            return (self._api,) if ports else ()
        return (Endpoint(name=API, host=self._api.host, port=ports[0]),)

    def manifests(self) -> tuple[Mapping[str, Any], ...]:
        return manifests()

    def node_files(self, context: NodeContext) -> Contribution:
        if context.instance.role is not Role.MASTER:
            return Contribution()
        own = master_files(self._config, self._belongings, context, self._agent)
        return with_service_routes(own, self._config, self._services, context)

    @cached_property
    def _agent(self) -> bytes:
        return self._build_agent()


_: tuple[type[Ingress], type[NodeContributor], type[IngressManifests]] = (
    CfRoutingIngress,
    CfRoutingIngress,
    CfRoutingIngress,
)


@contextmanager
def _as_provider() -> Iterator[None]:
    """What the clients raise, as errors of the SDK."""
    try:
        yield
    except RoutingError as error:
        raise _ERRORS[error.kind](str(error)) from None
