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
from kubo_sdk.pki.certificates import expires_at
from kubo_sdk.pki.converge import may_stay
from kubo_sdk.pki.generate import generate, kind_of
from kubo_sdk.ports.credentials import (
    Certificate,
    CertificateParameters,
    Credential,
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

    def fill(self, records: Records, order: Order) -> Credential:
        """The credential that may stay, or a new version of it.  Raises NotFound when the CA is absent."""
        kept = what_stays(records, order)
        if kept is not None:
            return kept
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
            ),
            now=now,
            expires_at=expires_at(value.certificate, order.name) if isinstance(value, Certificate) else None,
        )


def what_stays(records: Records, order: Order) -> Credential | None:
    """The stored credential that the order leaves as it is.  Raises Conflict when the name holds another kind."""
    found = records.newest(order.name)
    require_kind(found, kind_of(order.parameters))
    if found is None or order.mode is Mode.OVERWRITE:
        return None
    if order.mode is Mode.NO_OVERWRITE:
        return found.credential
    authority = records.newest(order.ca) if order.ca else None
    stays = may_stay(
        stored=found.payload.parameters,
        wanted=order.parameters,
        signed_by=found.payload.ca_version,
        ca=None if authority is None else authority.credential.version,
    )
    return found.credential if stays else None


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
