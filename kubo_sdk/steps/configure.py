"""Configures one instance: renders what it needs and sends what differs, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.machine import MachineManifest
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.push import push, start_units
from kubo_sdk.nodes.render import render
from kubo_sdk.pki.certificates import join_bundles
from kubo_sdk.pki.identities import needed_by
from kubo_sdk.pki.successors import beside
from kubo_sdk.planning.plan import Effect, Step
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.ports.ingress import Endpoint
from kubo_sdk.ports.node import NodeContext, StartAfter
from kubo_sdk.providers import Providers
from kubo_sdk.steps.bystanders import note_pods
from kubo_sdk.steps.context import RunState, StepContext, Surroundings
from kubo_sdk.steps.credentials import node_name
from kubo_sdk.steps.endpoints import API, endpoint_requests


def surroundings(spec: ClusterSpec, vms: Mapping[str, Vm], api: Endpoint, *, node_ports: bool = True) -> Surroundings:
    """What every machine is told of the machines there are.  Pure."""
    instances = spec.instances()
    return Surroundings(
        addresses={each.id: vms[each.id].address for each in instances if each.id in vms and vms[each.id].address},
        api=api,
        requests=endpoint_requests(spec, vms, node_ports=node_ports),
    )


def wished_manifest(
    spec: ClusterSpec,
    providers: Providers,
    state: RunState,
    instance: Instance,
    around: Surroundings | None = None,
) -> NodeManifest:
    """What the machine of *instance* should carry.  Raises NotFound while it, the API or a credential is missing.

    *around* is what it is told of the others, by default the machines there are.
    """
    vm, around = state.vms.get(instance.id), around or _present(spec, providers, state)
    if around is None or vm is None or not vm.address or state.release is None:
        lacking = "the API" if around is None else "its machine"
        raise NotFound(f"{instance.id} cannot be configured yet: {lacking} has no address")
    overlay = providers.overlay.info()
    leaves = needed_by(spec, instance, overlay, providers.cluster_dns.info(), providers.ingress.info())
    authority = value_of(state.credentials, "ca", Certificate)
    absent = [leaf for leaf in leaves if leaf not in state.credentials]
    if absent:
        raise NotFound(f"{instance.id} cannot be configured yet: credential {absent[0]!r} does not exist")
    context = NodeContext(
        spec=spec,
        instance=instance,
        address=vm.address,
        addresses=around.addresses,
        node_name=node_name(spec, instance, vm.address),
        provider_id=vm.provider_id,
        api=around.api,
        endpoints=around.requests,
        release=state.release,
        ca=join_bundles(authority.certificate, authority.ca, "ca"),
        credentials={
            leaf: state.credentials[leaf]
            for leaf in (*leaves, *beside(instance))
            if leaf in leaves or leaf in state.credentials
        },
        named_files=providers.named_files if instance.role is Role.WORKER else {},
    )
    return render(context, providers.contributions(context), overlay)


def _present(spec: ClusterSpec, providers: Providers, state: RunState) -> Surroundings | None:
    """Made once for all machines that are configured between two changes."""
    found = state.surroundings
    if found is None and API in state.endpoints:
        node_ports = providers.ingress.info().serves_node_ports
        found = surroundings(spec, dict(state.vms), state.endpoints[API], node_ports=node_ports)
        state.surroundings = found
    return found


def configure_instance(context: StepContext, step: Step) -> None:
    instance = context.instance(step.instance)
    wished = wished_manifest(context.spec, context.providers, context.state, instance)
    present = context.state.manifests.get(instance.id)
    if step.effect is Effect.RESTART:
        note_pods(context, instance)
    on_trial = step.effect is Effect.RESTART and begins_trial(instance, wished, present)
    push(context.shell(instance.id), wished, present, {StartAfter.BOOT, StartAfter.ETCD}, on_trial=on_trial)
    if on_trial:
        context.state.on_trial.add(instance.id)


def begins_trial(instance: Instance, wished: NodeManifest, present: MachineManifest | None) -> bool:
    """Whether the machine is given another release, and must be able to go back.  A proxy runs nothing of one."""
    if instance.role is Role.PROXY or present is None or wished.release is None:
        return False
    return any(release.tree != wished.release.tree for release in present.releases)


def start_instance_units(context: StepContext, step: Step) -> None:
    instance = context.instance(step.instance)
    wished = wished_manifest(context.spec, context.providers, context.state, instance)
    start_units(context.shell(instance.id), [unit.name for unit in wished.units])
