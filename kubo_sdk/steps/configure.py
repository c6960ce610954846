"""Configures one instance: renders what it needs and sends what differs, in one round trip."""

from __future__ import annotations

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.manifest import NodeManifest
from kubo_sdk.nodes.push import push, start_units
from kubo_sdk.nodes.render import render
from kubo_sdk.pki.identities import needed_by
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.ports.node import NodeContext, StartAfter
from kubo_sdk.providers import Providers
from kubo_sdk.steps.context import RunState, StepContext
from kubo_sdk.steps.credentials import node_name
from kubo_sdk.steps.endpoints import API, endpoint_requests


def wished_manifest(spec: ClusterSpec, providers: Providers, state: RunState, instance: Instance) -> NodeManifest:
    """What the machine of *instance* should carry.  Raises NotFound while an address or a credential is missing."""
    api = state.endpoints.get(API)
    missing = [each.id for each in spec.instances() if each.id not in state.vms or not state.vms[each.id].address]
    if api is None or missing or state.release is None:
        raise NotFound(f"{instance.id} cannot be configured yet: {', '.join(missing) or 'the API'} has no address")
    overlay = providers.overlay.info()
    leaves = needed_by(spec, instance, overlay)
    authority = value_of(state.credentials, "ca", Certificate)
    absent = [leaf for leaf in leaves if leaf not in state.credentials]
    if absent:
        raise NotFound(f"{instance.id} cannot be configured yet: credential {absent[0]!r} does not exist")
    vm = state.vms[instance.id]
    context = NodeContext(
        spec=spec,
        instance=instance,
        address=vm.address,
        addresses={each.id: state.vms[each.id].address for each in spec.instances()},
        node_name=node_name(spec, instance, vm.address),
        provider_id=vm.provider_id,
        api=api,
        endpoints=endpoint_requests(spec, state.vms),
        release=state.release,
        ca=authority.certificate,
        credentials={leaf: state.credentials[leaf] for leaf in leaves},
    )
    return render(context, providers.contributions(context), overlay)


def configure_instance(context: StepContext, step: Step) -> None:
    instance = context.instance(step.instance)
    wished = wished_manifest(context.spec, context.providers, context.state, instance)
    present = context.state.manifests.get(instance.id)
    push(context.shell(instance.id), wished, present, {StartAfter.BOOT, StartAfter.ETCD})


def start_instance_units(context: StepContext, step: Step) -> None:
    instance = context.instance(step.instance)
    wished = wished_manifest(context.spec, context.providers, context.state, instance)
    start_units(context.shell(instance.id), [unit.name for unit in wished.units])
