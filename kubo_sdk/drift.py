"""How each machine differs from what it should carry, also while addresses of others are still to come.

What depends on an unknown address is found out by trying: a machine is rendered twice, with two different addresses for
what has none.  Where both come out the same, nothing depends on them.  Changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address

from attrs import frozen

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.push import changes
from kubo_sdk.pki.identities import needed_by
from kubo_sdk.planning.observation import Drift
from kubo_sdk.planning.rotation import AUTHORITIES
from kubo_sdk.ports.cpi import Vm, VmState
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.providers import Providers
from kubo_sdk.steps.configure import surroundings, wished_manifest
from kubo_sdk.steps.context import RunState, Surroundings
from kubo_sdk.steps.endpoints import API, endpoint_requests

# Nobody's addresses: reserved for ever, and no two of them alike.
PLACEHOLDERS = (IPv4Address("240.0.0.0"), IPv4Address("241.0.0.0"))


@frozen
class Difference:
    """``drift`` is the most that may differ, None when not even that is known; ``settled``: it is exact."""

    drift: Drift | None = None
    settled: bool = True


class Differences:
    """Renders one machine after the other.  *unknown* are the instances whose addresses are not counted on, *missing*
    the leaves of credentials that are missing or outdated.
    """

    def __init__(
        self,
        spec: ClusterSpec,
        providers: Providers,
        state: RunState,
        *,
        unknown: Collection[str],
        missing: Collection[str],
    ) -> None:
        self._spec = spec
        self._providers = providers
        self._state = state
        self._missing = frozenset(missing)
        self._around = tuple(_surroundings(spec, providers, state, unknown))

    def of(self, instance: Instance) -> Difference:
        """How the machine of *instance* differs; it must have told what it carries."""
        providers = self._providers
        infos = (providers.overlay.info(), providers.cluster_dns.info(), providers.ingress.info())
        leaves = needed_by(self._spec, instance, *infos)
        if not self._missing.isdisjoint((*leaves, *AUTHORITIES)):
            return Difference(settled=False)
        try:
            wished = [self._rendered(instance, around) for around in self._around]
        except NotFound:
            return Difference(settled=False)
        found = changes(wished[0], self._state.manifests.get(instance.id))
        drift = Drift(files=found.touched_files, units=found.touched_units, unstarted=found.unstarted)
        return Difference(drift, settled=all(_alike(wished[0], other) for other in wished[1:]))

    def _rendered(self, instance: Instance, around: Surroundings) -> NodeManifest:
        return wished_manifest(self._spec, self._providers, self._state, instance, around)


def _alike(one: NodeManifest, other: NodeManifest) -> bool:
    return one.file_digests == other.file_digests and one.unit_digests == other.unit_digests


def _surroundings(
    spec: ClusterSpec, providers: Providers, state: RunState, unknown: Collection[str]
) -> Iterator[Surroundings]:
    """The machines there are, once; or twice, with different placeholders for what is unknown."""
    node_ports = providers.ingress.info().serves_node_ports
    wished = {instance.id for instance in spec.instances()}
    absent = [name for name in unknown if name in wished]
    if not absent and API in state.endpoints:
        yield surroundings(spec, state.vms, state.endpoints[API], node_ports=node_ports)
        return
    for start in PLACEHOLDERS:
        vms = {**state.vms, **{name: _placeholder(spec, name, start + place + 2) for place, name in enumerate(absent)}}
        yield surroundings(spec, vms, _api(spec, providers, state, vms, start + 1), node_ports=node_ports)


def _placeholder(spec: ClusterSpec, name: str, address: IPv4Address) -> Vm:
    return Vm(
        id="",
        cluster=spec.id,
        instance=name,
        token="",
        state=VmState.UNKNOWN,
        address=str(address),
        az="",
        provider_id="",
    )


def _api(
    spec: ClusterSpec, providers: Providers, state: RunState, vms: Mapping[str, Vm], unknown: IPv4Address
) -> Endpoint:
    """Where the API will be: for a provider on the proxies that is where they are."""
    if providers.ingress.info().runs_on_proxies:
        requests = endpoint_requests(spec, vms)
        return next(providers.ingress.ensure_endpoint(request) for request in requests if request.name == API)
    return state.endpoints.get(API) or Endpoint(name=API, host=str(unknown), port=spec.kubernetes.api_port)
