"""Marks: what the store notes beside a credential, since CredHub itself tells of certificates alone who made them.

CredHub's own ``generated`` stands for certificates.  A mark says of all others that this SDK had CredHub make them, and
of what was brought from another store what it was made from there.  What has no mark a person put, and it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from attrs import evolve, frozen

from kubo_sdk.pki.generate import kind_of
from kubo_sdk.ports.credentials import (
    CertificateParameters,
    Kind,
    Parameters,
    PasswordParameters,
    RsaParameters,
    SshParameters,
    UserParameters,
)
from kubo_sdk_credhub.api.answers import Version

KEY = "kubo_sdk"
MADE_HERE: Mapping[str, Any] = {KEY: {"made": "here"}}

_PARAMETERS: dict[str, Callable[..., Parameters]] = {
    Kind.PASSWORD: PasswordParameters,
    Kind.USER: UserParameters,
    Kind.RSA: RsaParameters,
    Kind.SSH: SshParameters,
    Kind.CERTIFICATE: CertificateParameters,
}


@frozen(kw_only=True)
class Origin:
    """``generated``: a store made it.  ``parameters``: what another store made it from."""

    generated: bool
    parameters: Parameters | None = None


def brought(parameters: Parameters) -> Mapping[str, Any]:
    """The mark of what another store made from *parameters*."""
    written = {name: value for name, value in attrs.asdict(parameters).items() if value not in (None, ())}
    return {KEY: {"made": "elsewhere", "kind": kind_of(parameters), "parameters": written}}


def origin(version: Version) -> Origin:
    """Who made that version."""
    if version.generated:
        return Origin(generated=True)
    mark = version.metadata.get(KEY)
    if not isinstance(mark, Mapping) or mark.get("made") not in ("here", "elsewhere"):
        return Origin(generated=False)
    return Origin(generated=True, parameters=_parameters(mark))


def lacks_mark(version: Version) -> bool:
    """Whether the mark may have got lost: new versions that CredHub makes of a leaf for a bundle have no metadata."""
    return version.type == Kind.CERTIFICATE and not version.generated and KEY not in version.metadata


def with_marks(versions: Sequence[Version]) -> tuple[Version, ...]:
    """*versions* of one name, each with the mark of an older one that holds the same certificate."""
    marked = {_certificate(each): each.metadata for each in versions if KEY in each.metadata}
    return tuple(
        evolve(each, metadata=marked[_certificate(each)]) if lacks_mark(each) and _certificate(each) in marked else each
        for each in versions
    )


def _certificate(version: Version) -> str:
    return str(version.value.get("certificate") or "").strip() if isinstance(version.value, Mapping) else ""


def _parameters(mark: Mapping[str, Any]) -> Parameters | None:
    """What the mark names, None where it is not written as this version of the SDK writes it."""
    kind, written = _PARAMETERS.get(str(mark.get("kind"))), mark.get("parameters")
    if kind is None or not isinstance(written, Mapping):
        return None
    try:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in written.items()})
    except TypeError:
        return None
