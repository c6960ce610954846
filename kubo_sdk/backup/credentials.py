"""Which credentials a backup brings back, and how they are written down.

Certificates of machines and clients are made anew with every machine.  What the data in etcd depends on is not: keys
that encrypted or signed it, passwords it holds the hashes of, authorities that others were told to trust, and whatever
a person put into the store.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from kubo_sdk.errors import NotFound, ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.notes import LEAF as NOTES
from kubo_sdk.pki.provenance import own_authority
from kubo_sdk.ports.credentials import (
    Certificate,
    Credential,
    CredentialStore,
    CredentialValue,
    KeyPair,
    Kind,
    Text,
    User,
)
from kubo_sdk.steps.credentials import opened_below

_VALUES: Mapping[Kind, type[CredentialValue]] = {
    Kind.VALUE: Text,
    Kind.JSON: Text,
    Kind.PASSWORD: Text,
    Kind.USER: User,
    Kind.CERTIFICATE: Certificate,
    Kind.RSA: KeyPair,
    Kind.SSH: KeyPair,
}


@frozen(kw_only=True)
class Kept:
    """One credential of a backup, by its leaf name.  ``generated``: the store had made it."""

    leaf: str
    kind: Kind
    value: CredentialValue = field(repr=False)
    generated: bool = False


def kept_credentials(store: CredentialStore, cluster: ClusterId) -> tuple[Kept, ...]:
    """What of *store* a backup of *cluster* must hold."""
    root = cluster.credential("")
    found = []
    for each in opened_below(store, root.rstrip("/")):
        leaf = each.name.removeprefix(root)
        if leaf != NOTES and is_kept(each):
            found.append(Kept(leaf=leaf, kind=each.kind, value=each.value, generated=each.generated))
    return tuple(found)


def is_kept(credential: Credential) -> bool:
    """Whether the data of the cluster depends on this very value."""
    if not isinstance(credential.value, Certificate):
        return True
    return not credential.generated or own_authority(credential.name, credential.value) is not None


def to_plain(kept: Iterable[Kept]) -> list[dict[str, Any]]:
    """JSON-able, secrets as base64: for what is sealed afterwards."""
    return [
        {"leaf": each.leaf, "kind": str(each.kind), "value": _plain(each.value), "generated": each.generated}
        for each in kept
    ]


def from_plain(written: Any, what: str) -> tuple[Kept, ...]:
    """What `to_plain` gave.  ProviderError for anything else."""
    try:
        return tuple(
            Kept(
                leaf=each["leaf"],
                kind=Kind(each["kind"]),
                value=_built(_VALUES[Kind(each["kind"])], each["value"]),
                generated=bool(each.get("generated", False)),
            )
            for each in written
        )
    except (KeyError, ValueError, TypeError):
        raise ProviderError(f"{what} holds credentials nobody understands; choose another one: kubo backups") from None


def to_put(store: CredentialStore, cluster: ClusterId, kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """Those of *kept* that *store* lacks or has another value of.

    A certificate that is there stays: machines and people have been told of it, and the data does not depend on it.
    """
    return tuple(each for each in kept if _differs(store, cluster, each))


def _differs(store: CredentialStore, cluster: ClusterId, kept: Kept) -> bool:
    try:
        there = store.get(cluster.credential(kept.leaf))
    except NotFound:
        return True
    return there.kind is kept.kind and there.value != kept.value and not isinstance(there.value, Certificate)


def _plain(value: CredentialValue) -> dict[str, str]:
    parts = ((each.name, getattr(value, each.name)) for each in attrs.fields(type(value)))
    return {
        name: base64.b64encode(part.reveal_bytes()).decode() if isinstance(part, Secret) else part
        for name, part in parts
    }


def _built(cls: type[CredentialValue], document: Mapping[str, str]) -> CredentialValue:
    secret = {each.name for each in attrs.fields(cls) if each.type in (Secret, "Secret")}
    named = {each.name: document[each.name] for each in attrs.fields(cls)}
    return cls(**{name: Secret(base64.b64decode(text)) if name in secret else text for name, text in named.items()})  # type: ignore[arg-type]
