"""Issues what the cluster's identities need, through the credential store, and deletes it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from cryptography import x509

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import Instance
from kubo_sdk.model.spec import ClusterSpec, NodeNames
from kubo_sdk.pki.identities import NO_INGRESS, Wanted, cluster_credentials, instance_credentials
from kubo_sdk.pki.provenance import parameters_of
from kubo_sdk.pki.renewal import is_due
from kubo_sdk.pki.satisfaction import satisfies
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.cluster_dns import ClusterDnsInfo
from kubo_sdk.ports.cpi import Vm
from kubo_sdk.ports.credentials import (
    BulkReading,
    Credential,
    CredentialStore,
    CredentialTakeover,
    CredentialValue,
    Kind,
    Mode,
)
from kubo_sdk.ports.ingress import Endpoint, IngressInfo
from kubo_sdk.ports.overlay import OverlayInfo
from kubo_sdk.steps.context import RunState, StepContext
from kubo_sdk.steps.endpoints import API


def node_name(spec: ClusterSpec, instance: Instance, address: str) -> str:
    """What the instance is called as a Node.  Pure."""
    return address if spec.kubernetes.node_names is NodeNames.ADDRESS else instance.slug


def wanted_certificates(  # noqa: PLR0917 (one value of each kind)
    spec: ClusterSpec,
    vms: Mapping[str, Vm],
    api: Endpoint | None,
    overlay: OverlayInfo,
    cluster_dns: ClusterDnsInfo,
    ingress: IngressInfo = NO_INGRESS,
) -> tuple[Wanted, ...]:
    """Every credential of a machine that has an address.  Empty while the API has no address.  Pure."""
    if api is None:
        return ()
    return tuple(
        wanted
        for instance in spec.instances()
        if instance.id in vms and vms[instance.id].address
        for wanted in instance_credentials(
            spec,
            instance,
            vms[instance.id].address,
            api,
            overlay,
            node_name(spec, instance, vms[instance.id].address),
            cluster_dns,
            ingress,
        )
    )


def issue_authorities(context: StepContext, step: Step) -> None:
    wanted = cluster_credentials(context.spec, context.providers.overlay.info())
    _renew(context, step, wanted)
    _issue(context, wanted)


def issue_certificates(context: StepContext, step: Step) -> None:
    """A machine made in this run gets certificates of its own, never those of the one it replaces."""
    state, providers = context.state, context.providers
    users = (providers.overlay.info(), providers.cluster_dns.info(), providers.ingress.info())
    wanted = wanted_certificates(context.spec, state.vms, state.endpoints.get(API), *users)
    if not wanted:
        raise NotFound(f"the API of cluster {context.spec.id} has no address, so no certificate can name it")
    made = {name: vm for name, vm in state.vms.items() if name in state.newly_made}
    again = wanted_certificates(context.spec, made, state.endpoints.get(API), *users)
    _issue(context, tuple(item for item in again if _was_generated(item, state.credentials)), Mode.OVERWRITE)
    state.newly_made.clear()
    _renew(context, step, wanted)
    _issue(context, tuple(item for item in wanted if not is_satisfied(item, state.credentials)))


def is_satisfied(wanted: Wanted, credentials: Mapping[str, Credential]) -> bool:
    """Whether the credential is there, as wished for.  Pure."""
    there = credentials.get(wanted.leaf)
    return there is not None and satisfies(there, wanted.parameters, credentials)


def is_expiring(wanted: Wanted, credentials: Mapping[str, Credential], spec: ClusterSpec, now: datetime | None) -> bool:
    """Whether the credential is due for a new version at *now*; None asks nobody.  Pure."""
    there = credentials.get(wanted.leaf)
    if there is None or now is None:
        return False
    return is_due(there, wanted.parameters, credentials, now, spec.health.renew_days)


def _was_generated(wanted: Wanted, credentials: Mapping[str, Credential]) -> bool:
    """Whether it is there, and nobody put it there by hand.  Pure."""
    there = credentials.get(wanted.leaf)
    return there is not None and there.generated


def retire_credentials(context: StepContext, step: Step) -> None:
    """Delete the credentials whose leaves ``details`` lists."""
    for leaf in step.details:
        context.providers.credential_store.delete(context.spec.id.credential(leaf))
        context.state.credentials.pop(leaf, None)


def _renew(context: StepContext, step: Step, wanted: tuple[Wanted, ...]) -> None:
    """New versions of what the plan lists and is due: nothing else about it changes, so by itself it would stay."""
    credentials, now = context.state.credentials, context.clock.now()
    listed = (item for item in wanted if item.leaf in step.details)
    due = tuple(item for item in listed if is_expiring(item, credentials, context.spec, now))
    if due:
        _issue(context, due, Mode.OVERWRITE)


def _issue(context: StepContext, wanted: tuple[Wanted, ...], mode: Mode = Mode.CONVERGE) -> None:
    store = context.providers.credential_store
    requests = [(context.spec.id.credential(item.leaf), item.parameters) for item in wanted]
    for item, credential in zip(wanted, store.generate_many(requests, mode), strict=True):
        context.state.credentials[item.leaf] = credential


def read_credentials(store: CredentialStore, spec: ClusterSpec, state: RunState) -> None:
    """Read every credential of the cluster into *state*, by leaf name."""
    root = spec.id.credential("")
    for credential in opened_below(store, root.rstrip("/")):
        state.credentials[credential.name.removeprefix(root)] = credential


def opened_below(store: CredentialStore, path: str) -> tuple[Credential, ...]:
    """The newest version of every name below *path*."""
    if isinstance(store, BulkReading):
        return store.get_below(path)
    return tuple(store.get(summary.name) for summary in store.find(path))


class Original(Protocol):
    """A value as another store had it, or as a backup holds it.  ``generated``: a store made it."""

    @property
    def kind(self) -> Kind: ...
    @property
    def value(self) -> CredentialValue: ...
    @property
    def generated(self) -> bool: ...


def keep_as_it_was(
    store: CredentialStore, name: str, original: Original, authorities: Mapping[str, x509.Certificate]
) -> None:
    """Store *original* so that what was generated stays so: renewed, rotated and replaced like everything else.

    *authorities*: the certificates that may have signed it, by the names of their credentials.
    """
    parameters = parameters_of(name, original.kind, original.value, authorities) if original.generated else None
    if parameters is not None and isinstance(store, CredentialTakeover):
        store.take_over(name, original.kind, original.value, parameters)
    else:
        store.put(name, original.kind, original.value)


def delete_credentials(context: StepContext, _step: Step) -> None:
    store = context.providers.credential_store
    for summary in store.find(context.spec.id.credential("").rstrip("/")):
        store.delete(summary.name)
    context.state.credentials.clear()
