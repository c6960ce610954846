"""Makes credentials within a transaction, unless what is there may stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import evolve, frozen

from kubo_sdk.builtin.file_credentials.names import same_name
from kubo_sdk.builtin.file_credentials.payload import Payload
from kubo_sdk.builtin.file_credentials.records import Record, Records
from kubo_sdk.errors import ConfigError, Conflict, NotFound
from kubo_sdk.pki.algorithm import KeyAlgorithm
from kubo_sdk.pki.certificates import expires_at, load_bundle
from kubo_sdk.pki.converge import may_stay
from kubo_sdk.pki.generate import generate, kind_of
from kubo_sdk.pki.provenance import is_issued_by
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    CredentialValue,
    Kind,
    Mode,
    Parameters,
    RsaParameters,
)


@frozen(kw_only=True)
class Order:
    """One credential asked for.  ``made`` is its value where it was made beforehand."""

    name: str
    parameters: Parameters
    mode: Mode
    made: CredentialValue | None = None

    @property
    def ca(self) -> str | None:
        """The name of the CA that is to sign it."""
        return self.parameters.ca if isinstance(self.parameters, CertificateParameters) else None


@frozen
class Maker:
    """Makes what orders ask for."""

    algorithm: KeyAlgorithm
    now: Callable[[], datetime]

    def prepare(self, order: Order) -> Order:
        """Make a slow value now, before a transaction keeps others waiting: an RSA key takes 50 ms and more."""
        if isinstance(order.parameters, RsaParameters):
            return evolve(order, made=generate(order.parameters, now=self.now()))
        return order

    def fill(self, records: Records, order: Order) -> Record:
        """The credential that may stay, or a new version of it.  Raises NotFound when the CA is absent."""
        return what_stays(records, order) or self.make(records, order)

    def make(self, records: Records, order: Order, *, transitional: bool = False) -> Record:
        """A new version, whatever there is.  *transitional*: of an authority, to be trusted and not to sign yet."""
        authority = _authority(records, order)
        ca = None if authority is None else _certificate(authority)
        now = self.now()
        value = order.made or generate(order.parameters, now=now, algorithm=self.algorithm, ca=ca)
        return records.add(
            order.name,
            kind_of(order.parameters),
            Payload(
                value=value,
                parameters=order.parameters,
                ca_version=None if authority is None else authority.credential.version,
                transitional=transitional,
            ),
            now=now,
            expires_at=expires_at(value.certificate, order.name) if isinstance(value, Certificate) else None,
        )

    def keep(self, records: Records, order: Order) -> Record:
        """A version with the value the order brings, counted as signed by the CA only if that did sign it."""
        value, authority, version = order.made, _authority(records, order), None
        assert value is not None, "that is what the order brings"
        if authority is not None and isinstance(value, Certificate):
            own, signer = value.certificate, _certificate(authority).certificate
            if is_issued_by(load_bundle(own, order.name)[0], load_bundle(signer, authority.credential.name)[0]):
                version = authority.credential.version
        return records.add(
            order.name,
            kind_of(order.parameters),
            Payload(value=value, parameters=order.parameters, ca_version=version),
            now=self.now(),
            expires_at=expires_at(value.certificate, order.name) if isinstance(value, Certificate) else None,
        )


def what_stays(records: Records, order: Order) -> Record | None:
    """The stored version that the order leaves as it is.  Raises Conflict when the name holds another kind."""
    found = records.newest(order.name)
    require_kind(found, kind_of(order.parameters))
    if found is None or order.mode is Mode.OVERWRITE:
        return None
    if order.mode is Mode.NO_OVERWRITE:
        return found
    authority = records.newest(order.ca) if order.ca else None
    stays = may_stay(
        stored=found.payload.parameters,
        wanted=order.parameters,
        signed_by=found.payload.ca_version,
        ca=None if authority is None else authority.credential.version,
    )
    return found if stays else None


def require_kind(found: Record | None, kind: Kind) -> None:
    """Conflict when there is a credential of another kind."""
    if found is not None and found.credential.kind is not kind:
        raise Conflict(f"{found.credential.name} is a {found.credential.kind}, not a {kind}; delete it first")


def _authority(records: Records, order: Order) -> Record | None:
    if order.ca is None:
        return None
    if same_name(order.ca, order.name):
        raise ConfigError([f"{order.name} names itself as its CA; leave ca out, and a CA signs itself"])
    found = records.newest(order.ca)
    if found is None:
        raise NotFound(f"the CA {order.ca} of {order.name} is not in the credential store; generate it first")
    return found


def _certificate(authority: Record) -> Certificate:
    value = authority.credential.value
    if not isinstance(value, Certificate):
        raise Conflict(f"{authority.credential.name} is a {authority.credential.kind}, so it cannot sign certificates")
    return value
