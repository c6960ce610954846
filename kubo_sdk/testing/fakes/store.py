"""MemoryStore: a credential store that lives and dies with its cloud."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve, frozen

from kubo_sdk.builtin.file_credentials.given import check_given
from kubo_sdk.builtin.file_credentials.names import checked, prefix_of, same_name
from kubo_sdk.errors import ConfigError, Conflict, NotFound
from kubo_sdk.pki.certificates import expires_at, is_authority, load_bundle
from kubo_sdk.pki.converge import may_stay
from kubo_sdk.pki.generate import generate, kind_of
from kubo_sdk.ports.credentials import (
    AuthorityRotation,
    Certificate,
    CertificateParameters,
    Credential,
    CredentialStore,
    CredentialStoreInfo,
    CredentialSummary,
    CredentialValue,
    Kind,
    Mode,
    Parameters,
)
from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.faults import Faults, port_call
from kubo_sdk.testing.fakes.store_versions import Version, as_trusted, marked, signing_of, transitional_of


@frozen(kw_only=True)
class _Made:
    """A value on its way into the store; without parameters somebody put it."""

    value: CredentialValue
    expires: datetime | None
    parameters: Parameters | None = None
    signed_by: str | None = None


def _first_name(requests: Sequence[tuple[str, Parameters]]) -> str:
    return requests[0][0] if requests else ""


class MemoryStore:
    """Keeps everything in memory, by lower-case name, newest version last."""

    port = "store"

    def __init__(self, clock: VirtualClock, faults: Faults) -> None:
        self.faults = faults
        self._clock = clock
        self._lock = threading.RLock()
        self._kept: dict[str, list[Version]] = {}

    def info(self) -> CredentialStoreInfo:
        return CredentialStoreInfo(key_algorithms=("ecdsa-p256",), rotates=True)

    @port_call()
    def get(self, name: str) -> Credential:
        with self._lock:
            return self._as_trusted(signing_of(self._versions(name)))

    @port_call()
    def list_versions(self, name: str) -> tuple[Credential, ...]:
        with self._lock:
            return tuple(self._as_trusted(version) for version in reversed(self._versions(name)))

    @port_call()
    def put(self, name: str, kind: Kind, value: CredentialValue) -> Credential:
        expires = check_given(checked(name), kind, value)
        with self._lock:
            return self._add(checked(name), kind, _Made(value=value, expires=expires))

    @port_call()
    def take_over(self, name: str, kind: Kind, value: CredentialValue, parameters: Parameters) -> Credential:
        expires = check_given(checked(name), kind, value)
        with self._lock:
            authority = self._authority(checked(name), parameters, None)
            signed_by = None if authority is None else authority.version
            made = _Made(value=value, expires=expires, parameters=parameters, signed_by=signed_by)
            return self._add(checked(name), kind, made)

    @port_call()
    def generate(self, name: str, parameters: Parameters, mode: Mode = Mode.CONVERGE) -> Credential:
        with self._lock:
            return self._generate(checked(name), parameters, mode)

    @port_call(about=_first_name)
    def generate_many(
        self, requests: Sequence[tuple[str, Parameters]], mode: Mode = Mode.CONVERGE
    ) -> tuple[Credential, ...]:
        with self._lock:
            kept = {name: list(versions) for name, versions in self._kept.items()}
            try:
                return tuple(self._generate(checked(name), parameters, mode) for name, parameters in requests)
            except BaseException:
                self._kept = kept
                raise

    @port_call()
    def delete(self, name: str) -> None:
        with self._lock:
            self._kept.pop(checked(name).lower(), None)

    @port_call()
    def find(self, path: str) -> tuple[CredentialSummary, ...]:
        prefix = prefix_of(path).lower()
        with self._lock:
            found = [self._kept[name] for name in sorted(self._kept) if name.startswith(prefix)]
            return tuple(_summary(versions) for versions in found)

    @port_call()
    def introduce_authority(self, name: str) -> Credential:
        with self._lock:
            versions = self._authority_versions(name)
            if transitional_of(versions) is None:
                parameters = signing_of(versions).parameters
                if parameters is None:
                    raise Conflict(f"the authority {name} was put by a person, so no successor can be made of it")
                self._generate(checked(name), parameters, Mode.OVERWRITE)
                versions[-1] = marked(versions[-1], transitional=True)
            return self._as_trusted(transitional_of(versions) or versions[-1])

    @port_call()
    def switch_authority(self, name: str) -> Credential:
        with self._lock:
            versions = self._authority_versions(name)
            signing, other = signing_of(versions), transitional_of(versions)
            if other is None:
                raise Conflict(f"the authority {name} has no transitional version, so there is none to sign with")
            versions[versions.index(signing)] = marked(signing, transitional=True)
            versions[versions.index(other)] = marked(other, transitional=False)
            return self._as_trusted(signing_of(versions))

    @port_call()
    def retire_authority(self, name: str) -> None:
        with self._lock:
            versions = self._authority_versions(name)
            other = transitional_of(versions)
            if other is None:
                return
            if versions.index(other) > versions.index(signing_of(versions)):
                versions.remove(other)
            else:
                versions[versions.index(other)] = marked(other, transitional=False)

    def _authority_versions(self, name: str) -> list[Version]:
        versions = self._versions(name)
        value = signing_of(versions).credential.value
        if not isinstance(value, Certificate) or not is_authority(load_bundle(value.certificate, name)[0]):
            raise Conflict(f"{name} is no authority, so it cannot be rotated as one")
        return versions

    def _as_trusted(self, version: Version) -> Credential:
        """A certificate of an authority that is rotated names both of its versions."""
        signer = version.parameters.ca if isinstance(version.parameters, CertificateParameters) else None
        return as_trusted(version, self._kept.get(checked(signer or version.credential.name).lower(), []))

    def _versions(self, name: str) -> list[Version]:
        with self._lock:
            found = self._kept.get(checked(name).lower())
        if not found:
            raise NotFound(f"there is no credential {name}")
        return found

    def _newest(self, name: str) -> Version | None:
        found = self._kept.get(name.lower())
        return signing_of(found) if found else None

    def _generate(self, name: str, parameters: Parameters, mode: Mode) -> Credential:
        kind, found = kind_of(parameters), self._newest(name)
        self._require_kind(found, kind)
        if found is not None and mode is Mode.NO_OVERWRITE:
            return self._as_trusted(found)
        authority = self._authority(name, parameters, found)
        signed_by = None if authority is None else authority.version
        if found is not None and mode is Mode.CONVERGE:
            stored, signer = found.parameters, found.signed_by
            if may_stay(stored=stored, wanted=parameters, signed_by=signer, ca=signed_by):
                return self._as_trusted(found)
        value = self._make(parameters, authority)
        expires = expires_at(value.certificate, name) if isinstance(value, Certificate) else None
        made = _Made(value=value, expires=expires, parameters=parameters, signed_by=signed_by)
        return self._add(name, kind, made)

    def _authority(self, name: str, parameters: Parameters, found: Version | None) -> Credential | None:
        ca = parameters.ca if isinstance(parameters, CertificateParameters) else None
        if ca is None:
            return None
        if same_name(ca, name):
            raise ConfigError([f"{name} names itself as its CA; leave ca out, and a CA signs itself"])
        newest = self._newest(checked(ca))
        if newest is None:
            if found is not None and found.parameters is None:
                return None
            raise NotFound(f"the CA {ca} of {name} is not in the credential store; generate it first")
        return newest.credential

    def _make(self, parameters: Parameters, authority: Credential | None) -> CredentialValue:
        """A value that both the virtual and the real clock find valid: TLS knows only the real one."""
        ca = None
        if authority is not None:
            if not isinstance(authority.value, Certificate):
                raise Conflict(f"{authority.name} is a {authority.kind}, so it cannot sign certificates")
            ca = authority.value
        real, virtual = datetime.now(UTC), self._clock.today
        if isinstance(parameters, CertificateParameters) and virtual > real:
            more = math.ceil((virtual - real) / timedelta(days=1)) if virtual - real > timedelta(hours=1) else 0
            parameters = evolve(parameters, duration_days=parameters.duration_days + more)
        return generate(parameters, now=min(real, virtual), ca=ca)

    def _add(self, name: str, kind: Kind, made: _Made) -> Credential:
        found = self._newest(name)
        self._require_kind(found, kind)
        credential = Credential(
            name=found.credential.name if found else name,
            kind=kind,
            version=str(uuid.uuid4()),
            created_at=self._clock.today,
            value=made.value,
            expires_at=made.expires,
            generated=made.parameters is not None,
        )
        version = Version(credential=credential, parameters=made.parameters, signed_by=made.signed_by)
        self._kept.setdefault(name.lower(), []).append(version)
        return self._as_trusted(version)

    @staticmethod
    def _require_kind(found: Version | None, kind: Kind) -> None:
        if found is not None and found.credential.kind is not kind:
            raise Conflict(f"{found.credential.name} is a {found.credential.kind}, not a {kind}; delete it first")


def _summary(versions: Sequence[Version]) -> CredentialSummary:
    newest = versions[-1].credential
    return CredentialSummary(
        name=newest.name,
        kind=newest.kind,
        version=newest.version,
        created_at=newest.created_at,
        expires_at=newest.expires_at,
    )


_: type[CredentialStore] = MemoryStore
_rotates: type[AuthorityRotation] = MemoryStore
