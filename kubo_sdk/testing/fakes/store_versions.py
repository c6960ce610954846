"""The versions of one credential in a `MemoryStore`: which signs, and which is trusted beside it.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from kubo_sdk.pki.certificates import join_bundles
from kubo_sdk.ports.credentials import Certificate, Credential, Parameters


@frozen(kw_only=True)
class Version:
    credential: Credential
    parameters: Parameters | None = None
    signed_by: str | None = None


def signing_of(versions: Sequence[Version]) -> Version:
    """The newest but a transitional one."""
    return next((version for version in reversed(versions) if not version.credential.transitional), versions[-1])


def transitional_of(versions: Sequence[Version]) -> Version | None:
    return next((version for version in versions if version.credential.transitional), None)


def marked(version: Version, *, transitional: bool) -> Version:
    return evolve(version, credential=evolve(version.credential, transitional=transitional))


def as_trusted(version: Version, authority: Sequence[Version]) -> Credential:
    """The credential, whose ``ca`` holds both versions while *authority*, which signed it or is it, is rotated."""
    value, other = version.credential.value, transitional_of(authority)
    if other is None or not isinstance(value, Certificate):
        return version.credential
    trusted = [each.credential for each in (signing_of(authority), other)]
    own = version.signed_by if version.signed_by is not None else version.credential.version
    if own not in {each.version for each in trusted}:
        return version.credential
    bundle = join_bundles(_bundle(trusted[0]), _bundle(trusted[1]), version.credential.name)
    return evolve(version.credential, value=evolve(value, ca=bundle))


def _bundle(authority: Credential) -> str:
    value = authority.value
    return join_bundles(value.certificate, value.ca, authority.name) if isinstance(value, Certificate) else ""
