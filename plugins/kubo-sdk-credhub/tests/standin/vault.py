"""What the stand-in keeps: names, versions, who signed whom, converging and transitional versions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from attrs import define, field
from cryptography import x509

from . import forge, words
from .words import Refused


@define
class Version:
    """One version; ``value`` of a certificate holds its own certificate and key, its CA's beside it."""

    value: Any
    created: datetime
    metadata: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    ca: str | None = None
    trusted_ca: str | None = None
    ca_name: str | None = None
    transitional: bool = False
    generated: bool | None = None
    id: str = field(factory=lambda: str(uuid.uuid4()))

    @property
    def pem(self) -> str:
        return str(self.value["certificate"])


@define
class Entry:
    """One name and its versions, oldest first."""

    name: str
    type: str
    versions: list[Version] = field(factory=list)
    id: str = field(factory=lambda: str(uuid.uuid4()))

    def signing(self) -> Version | None:
        """The latest that is not transitional."""
        return next((each for each in reversed(self.versions) if not each.transitional), None)

    def transitional(self) -> Version | None:
        return next((each for each in reversed(self.versions) if each.transitional), None)

    def current(self) -> list[Version]:
        if self.type != "certificate":
            return self.versions[-1:]
        return [each for each in (self.signing(), self.transitional()) if each is not None]


class Vault:
    """The caller holds the lock.  ``concatenates``: certificates.concatenate_cas of the server."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.entries: dict[str, Entry] = {}
        self.concatenates = True
        self.now = now

    def entry(self, name: str) -> Entry | None:
        return self.entries.get(name.lower())

    def by_id(self, certificate_id: str) -> Entry:
        for entry in self.entries.values():
            if entry.id == certificate_id and entry.type == "certificate":
                return entry
        raise Refused(404, words.ACCESS)

    def add(self, name: str, kind: str, version: Version) -> tuple[Entry, Version]:
        entry = self.entry(name)
        if entry is not None and entry.type != kind:
            raise Refused(400, words.TYPE_MISMATCH)
        if entry is None:
            entry = self.entries[name.lower()] = Entry(name=name, type=kind)
        entry.versions.append(version)
        return entry, version

    def signed_by(self, name: str) -> list[Entry]:
        """The certificates that name that CA, itself left out."""
        return [
            entry
            for entry in self.entries.values()
            if entry.name.lower() != name.lower()
            and any((each.ca_name or "").lower() == name.lower() for each in entry.versions)
        ]

    def generate(
        self, name: str, kind: str, mode: str, parameters: dict[str, Any], metadata: Any
    ) -> tuple[Entry, Version]:
        entry = self.entry(name)
        if entry is not None and entry.type != kind:
            raise Refused(400, words.TYPE_MISMATCH)
        found = None if entry is None else entry.signing() if kind == "certificate" else entry.versions[-1]
        signer = self.signer(parameters) if kind == "certificate" else None
        if entry is not None and found is not None and not self._rewrites(found, kind, mode, parameters, signer):
            return entry, found
        return self.add(name, kind, self.make(name, kind, parameters, metadata))

    def make(self, name: str, kind: str, parameters: dict[str, Any], metadata: Any) -> Version:
        made = Version(value=None, created=self.now(), metadata=metadata, generated=True, parameters=parameters)
        if kind == "password":
            made.value = forge.random_text(parameters)
        elif kind == "user":
            letters = {"length": 20, "exclude_number": True}
            username = parameters.get("username") or forge.random_text(letters)
            made.value = {"username": username, "password": forge.random_text(parameters)}
        elif kind == "rsa":
            made.value = forge.rsa_value(parameters)
        elif kind == "ssh":
            made.value = forge.ssh_value(parameters)
        else:
            self._issue(name, made, parameters)
        return made

    def _issue(self, name: str, made: Version, parameters: dict[str, Any]) -> None:
        signer = self.signer(parameters)
        if signer is None:
            pem, key = forge.certificate(parameters, self.now(), None)
            made.ca, made.ca_name = pem, name if parameters.get("is_ca") else None
        else:
            pem, key = forge.certificate(parameters, self.now(), (signer.pem, signer.value["private_key"]))
            ca = self.entries[parameters["ca"].lower()]
            other = ca.transitional()
            made.ca, made.ca_name = signer.pem, ca.name
            made.trusted_ca = None if other is None or other is signer else other.pem
        made.value = {"certificate": pem, "private_key": key}

    def signer(self, parameters: dict[str, Any]) -> Version | None:
        """The version that signs, None where the certificate signs itself."""
        if not parameters.get("ca"):
            return None
        ca = self.entry(parameters["ca"])
        if ca is None or ca.type != "certificate":
            raise Refused(404, words.CA_ACCESS)
        version = ca.signing() or ca.transitional()
        assert version is not None
        if not forge.is_authority(x509.load_pem_x509_certificate(version.pem.encode())):
            raise Refused(400, words.NOT_A_CA)
        if not version.value.get("private_key"):
            raise Refused(400, words.CA_NO_KEY)
        return version

    def _rewrites(
        self, found: Version, kind: str, mode: str, parameters: dict[str, Any], signer: Version | None
    ) -> bool:
        if mode != "converge":
            return mode == "overwrite"
        if kind != "certificate":
            return found.parameters is None or _essence(kind, found.parameters) != _essence(kind, parameters)
        ca = self.entry(found.ca_name) if found.ca_name else None
        active = None if ca is None else ca.signing()
        if active is not None and found.ca != active.pem:
            return True
        if signer is not None and found.ca_name and found.ca_name.lower() != parameters["ca"].lower():
            return True
        return _said(forge.parameters_of(found.pem)) != _said(parameters)

    def regenerate(self, entry: Entry, metadata: Any) -> Version:
        last = entry.versions[-1]
        if entry.type in ("value", "json"):
            raise Refused(400, words.CANNOT_GENERATE)
        if entry.type == "certificate":
            return self.reissue(entry, last, {}, metadata)
        if entry.type in ("password", "user") and last.parameters is None:
            raise Refused(400, words.PASSWORD_SET)
        return self.add(entry.name, entry.type, self.make(entry.name, entry.type, last.parameters or {}, metadata))[1]

    def reissue(self, entry: Entry, last: Version, changes: dict[str, Any], metadata: Any) -> Version:
        own = x509.load_pem_x509_certificate(last.pem.encode())
        self_signed = own.subject == own.issuer
        if not last.ca_name and not self_signed:
            raise Refused(400, words.NOT_REGENERATED)
        parameters = {**forge.parameters_of(last.pem), **changes}
        if not self_signed:
            parameters["ca"] = last.ca_name
        return self.add(entry.name, "certificate", self.make(entry.name, "certificate", parameters, metadata))[1]

    def bulk_regenerate(self, name: str) -> list[str]:
        """Also below intermediate authorities."""
        done: set[str] = set()
        for entry in self.signed_by(name):
            version = self.regenerate(entry, None)
            done.add(entry.name)
            if forge.is_authority(x509.load_pem_x509_certificate(version.pem.encode())):
                done |= set(self.bulk_regenerate(entry.name))
        return sorted(done, key=str.lower)

    def renew_children(self, ca: Entry) -> None:
        """A new version of each leaf, with the authorities to trust now; metadata does not come along."""
        if not self.concatenates:
            return
        for entry in self.signed_by(ca.name):
            last, active = entry.versions[-1], ca.current()
            trusted = None
            if active[0].pem != last.ca:
                trusted = active[0] if len(active) == 2 or active[0].transitional else None
            elif len(active) == 2:
                trusted = active[1]
            entry.versions.append(
                Version(
                    value=dict(last.value),
                    created=self.now(),
                    ca=last.ca,
                    ca_name=last.ca_name,
                    trusted_ca=None if trusted is None else trusted.pem,
                    generated=last.generated,
                )
            )

    def mark_transitional(self, entry: Entry, version_id: str | None) -> None:
        if version_id == "latest":
            version_id = entry.versions[-1].id
        chosen = next((each for each in entry.versions if each.id == version_id), None)
        if version_id is not None and chosen is None:
            raise Refused(400, words.OTHER_VERSION)
        for each in entry.versions:
            each.transitional = each is chosen
        self.renew_children(entry)


def _essence(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    if kind in ("password", "user"):
        flags = {key: bool(parameters.get(key)) for key in forge.STRING_KEYS - {"length"}}
        return {**flags, "length": parameters.get("length", 30), "username": parameters.get("username")}
    if kind == "rsa":
        return {"key_length": parameters.get("key_length", 2048)}
    return {"key_length": parameters.get("key_length", 2048), "ssh_comment": parameters.get("ssh_comment", "")}


def _said(parameters: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a certificate: the duration is not, lists are in their order but for the key usage."""
    said = {key: parameters.get(key) or None for key in forge.CERTIFICATE_KEYS - {"duration", "ca", "self_sign"}}
    said["key_length"] = parameters.get("key_length", 2048)
    said["key_usage"] = sorted(parameters.get("key_usage") or ())
    return said
