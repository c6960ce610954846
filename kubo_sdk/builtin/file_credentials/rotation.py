"""Rotation of an authority: two versions of it are trusted, one signs.  All within a transaction.

Which one is transitional stands sealed in its row; that both are trusted is said of a certificate when it is read.
"""

from __future__ import annotations

from attrs import evolve

from kubo_sdk.builtin.file_credentials.making import Maker, Order
from kubo_sdk.builtin.file_credentials.names import same_name
from kubo_sdk.builtin.file_credentials.records import Record, Records
from kubo_sdk.errors import Conflict, NotFound
from kubo_sdk.pki.certificates import is_authority, join_bundles, load_bundle
from kubo_sdk.ports.credentials import Certificate, CertificateParameters, Credential, Mode


def as_trusted(records: Records, record: Record) -> Credential:
    """The credential; a certificate of an authority that is rotated names both of its versions."""
    value, parameters = record.payload.value, record.payload.parameters
    if not isinstance(value, Certificate):
        return record.credential
    signer = parameters.ca if isinstance(parameters, CertificateParameters) else None
    name = signer or record.credential.name
    other = _transitional(records, name)
    signing = records.newest(name) if other is not None else None
    if other is None or signing is None:
        return record.credential
    own = record.credential.version if same_name(name, record.credential.name) else record.payload.ca_version
    if own not in {signing.credential.version, other.credential.version}:
        return record.credential
    bundle = join_bundles(_bundle(signing), _bundle(other), name)
    return evolve(record.credential, value=evolve(value, ca=bundle))


def introduce(records: Records, maker: Maker, name: str) -> Credential:
    """The transitional version of *name*, made now unless it is there."""
    signing = _authority(records, name)
    found = _transitional(records, name)
    if found is None:
        parameters = signing.payload.parameters
        if parameters is None:
            raise Conflict(
                f"the authority {name} was put into the store by a person, so no successor can be made from its "
                "parameters; delete it, and everything it signed, to have one generated"
            )
        order = Order(name=name, parameters=parameters, mode=Mode.OVERWRITE)
        found = maker.make(records, order, transitional=True)
    return as_trusted(records, found)


def switch(records: Records, name: str) -> Credential:
    """The version that signs from now on."""
    signing, other = _authority(records, name), _transitional(records, name)
    if other is None:
        raise Conflict(f"the authority {name} has no transitional version, so there is none to sign with instead")
    records.mark(signing, transitional=True)
    records.mark(other, transitional=False)
    return as_trusted(records, _authority(records, name))


def retire(records: Records, name: str) -> None:
    """End the trust in the transitional version.  One newer than the one that signs would sign again, so it goes."""
    signing, other = _authority(records, name), _transitional(records, name)
    if other is None:
        return
    if other.row.sequence > signing.row.sequence:
        records.delete_version(other)
    else:
        records.mark(other, transitional=False)


def _authority(records: Records, name: str) -> Record:
    found = records.newest(name)
    if found is None:
        raise NotFound(f"there is no credential {name}")
    value = found.payload.value
    if not isinstance(value, Certificate) or not is_authority(load_bundle(value.certificate, name)[0]):
        raise Conflict(f"{name} is no authority, so it cannot be rotated as one")
    return found


def _transitional(records: Records, name: str) -> Record | None:
    return next((record for record in records.versions(name) if record.payload.transitional), None)


def _bundle(authority: Record) -> str:
    value = authority.payload.value
    if not isinstance(value, Certificate):
        raise Conflict(f"{authority.credential.name} is a {authority.credential.kind}, so it vouches for nobody")
    return join_bundles(value.certificate, value.ca, authority.credential.name)
