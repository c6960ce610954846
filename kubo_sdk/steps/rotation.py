"""The stages of a rotation in the credential store: a successor is made, takes over, and what was before goes.

Every step first asks how things stand, so that one whose answer was lost is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from kubo_sdk.errors import NotFound
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.notes import read_notes
from kubo_sdk.pki.identities import cluster_credentials
from kubo_sdk.pki.successors import mark_of
from kubo_sdk.planning.plan import Step
from kubo_sdk.planning.rotation import AUTHORITIES, Standing, next_leaf, previous_leaf
from kubo_sdk.ports.credentials import AuthorityRotation, CertificateParameters, Credential, CredentialStore, Mode
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.credentials import read_credentials, wanted_certificates
from kubo_sdk.steps.endpoints import API


def read_standings(store: CredentialStore, spec: ClusterSpec, began: Mapping[str, str]) -> tuple[Standing, ...]:
    """How everything stands whose mark at the beginning *began* holds, by leaf.  NotFound before the first deploy."""
    return tuple(_standing(store, spec, leaf, mark) for leaf, mark in began.items())


def marks_now(store: CredentialStore, spec: ClusterSpec, leaves: tuple[str, ...]) -> dict[str, str]:
    """The mark of what is used now, by leaf."""
    return {leaf: mark_of(store.get(spec.id.credential(leaf))) for leaf in leaves}


def _standing(store: CredentialStore, spec: ClusterSpec, leaf: str, began: str) -> Standing:
    used = mark_of(store.get(spec.id.credential(leaf)))
    if leaf in AUTHORITIES:
        versions = store.list_versions(spec.id.credential(leaf))
        other = next((mark_of(version) for version in versions if version.transitional), "")
        return Standing(leaf=leaf, began=began, used=used, other=other)
    beside = (_found(store, spec, each) for each in (next_leaf(leaf), previous_leaf(leaf)))
    marks = [mark_of(credential) for credential in beside if credential is not None]
    # A leaf that a stage left over when it was cut off holds what is used.
    other = next((mark for mark in marks if mark != used), used if marks else "")
    return Standing(leaf=leaf, began=began, used=used, other=other)


def _found(store: CredentialStore, spec: ClusterSpec, leaf: str) -> Credential | None:
    try:
        return store.get(spec.id.credential(leaf))
    except NotFound:
        return None


def trust_successors(context: StepContext, step: Step) -> None:
    """Have a successor of each of ``details`` made."""
    store, spec = context.providers.credential_store, context.spec
    for leaf in step.details:
        if leaf in AUTHORITIES:
            cast(AuthorityRotation, store).introduce_authority(spec.id.credential(leaf))
            continue
        wanted = cluster_credentials(spec, context.providers.overlay.info())
        parameters = next(item.parameters for item in wanted if item.leaf == leaf)
        store.generate(spec.id.credential(next_leaf(leaf)), parameters, Mode.NO_OVERWRITE)
    _read_again(context)


def switch_signers(context: StepContext, step: Step) -> None:
    """Have the successor of each of ``details`` used from now on."""
    _switch(context, step, switched=True)


def switch_back(context: StepContext, step: Step) -> None:
    """Have what each of ``details`` was at the beginning used again."""
    _switch(context, step, switched=False)


def _switch(context: StepContext, step: Step, *, switched: bool) -> None:
    store, spec = context.providers.credential_store, context.spec
    began = dict(read_notes(store, spec.id).rotating)
    for leaf in step.details:
        if _standing(store, spec, leaf, began[leaf]).is_switched == switched:
            _tidy(store, spec, leaf, switched=switched)
        elif leaf in AUTHORITIES:
            cast(AuthorityRotation, store).switch_authority(spec.id.credential(leaf))
        else:
            _exchange(store, spec, leaf, switched=switched)
    _read_again(context)


def _exchange(store: CredentialStore, spec: ClusterSpec, leaf: str, *, switched: bool) -> None:
    """Neither key is ever missing from the store, wherever this is cut off."""
    source, target = _places(leaf, switched=switched)
    used, taken = store.get(spec.id.credential(leaf)), store.get(spec.id.credential(source))
    store.put(spec.id.credential(target), used.kind, used.value)
    store.put(spec.id.credential(leaf), taken.kind, taken.value)
    store.delete(spec.id.credential(source))


def _tidy(store: CredentialStore, spec: ClusterSpec, leaf: str, *, switched: bool) -> None:
    if leaf not in AUTHORITIES:
        store.delete(spec.id.credential(_places(leaf, switched=switched)[0]))


def _places(leaf: str, *, switched: bool) -> tuple[str, str]:
    """Where the key lies that is used next, and where the one goes that is used now."""
    places = (next_leaf(leaf), previous_leaf(leaf))
    return places if switched else (places[1], places[0])


def drop_old(context: StepContext, step: Step) -> None:
    """End the trust in what is not used of each of ``details``."""
    store, spec = context.providers.credential_store, context.spec
    for leaf in step.details:
        if leaf in AUTHORITIES:
            cast(AuthorityRotation, store).retire_authority(spec.id.credential(leaf))
            continue
        for each in (next_leaf(leaf), previous_leaf(leaf)):
            store.delete(spec.id.credential(each))
    _read_again(context)


def renew_leaves(context: StepContext, _step: Step) -> None:
    """New versions of all certificates that the store made, but the authorities."""
    spec, providers, state = context.spec, context.providers, context.state
    infos = (providers.overlay.info(), providers.cluster_dns.info(), providers.ingress.info())
    shared = cluster_credentials(spec, infos[0])
    wanted = (*shared, *wanted_certificates(spec, state.vms, state.endpoints.get(API), *infos))
    requests = [
        (spec.id.credential(item.leaf), item.parameters)
        for item in wanted
        if isinstance(item.parameters, CertificateParameters)
        and not item.parameters.is_ca
        and item.leaf in state.credentials
        and state.credentials[item.leaf].generated
    ]
    providers.credential_store.generate_many(requests, Mode.OVERWRITE)
    _read_again(context)


def _read_again(context: StepContext) -> None:
    """What is trusted stands in every certificate."""
    context.state.credentials.clear()
    read_credentials(context.providers.credential_store, context.spec, context.state)
