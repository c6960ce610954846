"""Reads CredHub's answers.  Unknown fields are passed over, absent ones and nulls are taken as nothing.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from kubo_sdk.errors import ProviderError


@frozen(kw_only=True)
class Version:
    """One version of one credential.  ``value`` is text or a mapping, as CredHub's type has it.

    ``generated``, ``transitional``, ``authority`` and ``expires_at`` are told for certificates alone; ``generated`` is
    None where the server does not know.
    """

    type: str
    name: str
    id: str
    created_at: datetime
    value: Any = field(repr=False)
    metadata: Mapping[str, Any] = field(factory=dict)
    expires_at: datetime | None = None
    transitional: bool = False
    generated: bool | None = None
    authority: bool = False
    self_signed: bool = False


@frozen(kw_only=True)
class Found:
    """What a search tells of a credential."""

    name: str
    created_at: datetime
    expires_at: datetime | None = None


@frozen(kw_only=True)
class CertificateVersion:
    """What may be known of a version of a certificate without opening it."""

    id: str
    transitional: bool = False
    expires_at: datetime | None = None
    authority: bool = False
    self_signed: bool = False
    generated: bool | None = None


@frozen(kw_only=True)
class CertificateEntry:
    """A certificate as the certificates endpoint knows it: its own ``id``, who signed it, what it signs."""

    name: str
    id: str
    signed_by: str = ""
    signs: tuple[str, ...] = ()
    versions: tuple[CertificateVersion, ...] = ()


def version(said: Any) -> Version:
    """One credential object.  ProviderError when it lacks what every one has."""
    if not isinstance(said, Mapping):
        raise ProviderError("CredHub answered something that is no credential; check the url")
    metadata = said.get("metadata")
    return Version(
        type=_text(said, "type"),
        name=_text(said, "name"),
        id=_text(said, "id"),
        created_at=_required_moment(said, "version_created_at"),
        value=said.get("value"),
        metadata=metadata if isinstance(metadata, Mapping) else {},
        expires_at=_moment(said, "expiry_date"),
        transitional=said.get("transitional") is True,
        generated=_flag(said, "generated"),
        authority=said.get("certificate_authority") is True,
        self_signed=said.get("self_signed") is True,
    )


def versions(said: Any) -> tuple[Version, ...]:
    """A list of credential objects, bare or wrapped in ``data``, in the server's order."""
    listed = said.get("data") if isinstance(said, Mapping) else said
    return tuple(version(each) for each in _list(listed))


def found(said: Any) -> tuple[Found, ...]:
    """The result of a search."""
    listed = said.get("credentials") if isinstance(said, Mapping) else None
    return tuple(
        Found(
            name=_text(each, "name"),
            created_at=_required_moment(each, "version_created_at"),
            expires_at=_moment(each, "expiry_date"),
        )
        for each in _list(listed)
    )


def certificates(said: Any) -> tuple[CertificateEntry, ...]:
    """The answer of the certificates endpoint."""
    listed = said.get("certificates") if isinstance(said, Mapping) else None
    return tuple(_entry(each) for each in _list(listed))


def _entry(said: Mapping[str, Any]) -> CertificateEntry:
    return CertificateEntry(
        name=_text(said, "name"),
        id=_text(said, "id"),
        signed_by=str(said.get("signed_by") or ""),
        signs=tuple(str(name) for name in said.get("signs") or ()),
        versions=tuple(
            CertificateVersion(
                id=_text(each, "id"),
                transitional=each.get("transitional") is True,
                expires_at=_moment(each, "expiry_date"),
                authority=each.get("certificate_authority") is True,
                self_signed=each.get("self_signed") is True,
                generated=_flag(each, "generated"),
            )
            for each in said.get("versions") or ()
        ),
    )


def _list(said: Any) -> Iterable[Any]:
    if not isinstance(said, list):
        raise ProviderError("CredHub answered something that is no list of credentials; check the url")
    return said


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise ProviderError(f"CredHub answered a credential without {key!r}; check the url and the server's version")
    return value


def _flag(said: Mapping[str, Any], key: str) -> bool | None:
    value = said.get(key)
    return value if isinstance(value, bool) else None


def _required_moment(said: Mapping[str, Any], key: str) -> datetime:
    moment = _moment(said, key)
    if moment is None:
        raise ProviderError(f"CredHub answered a credential without {key!r}; check the url and the server's version")
    return moment


def _moment(said: Mapping[str, Any], key: str) -> datetime | None:
    """ISO 8601 with any number of digits after the second; a time without a zone is UTC."""
    value = said.get(key)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ProviderError(f"CredHub answered the {key} {value!r}, which is no time; check the url") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
