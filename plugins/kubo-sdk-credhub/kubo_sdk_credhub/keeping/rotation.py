"""Rotation: CredHub's own procedure for authorities, by its transitional versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from kubo_sdk.errors import Conflict, NotFound, ProviderError
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.ports.credentials import Certificate, Credential
from kubo_sdk_credhub.api.answers import CertificateEntry, CertificateVersion, Version
from kubo_sdk_credhub.api.client import CredhubClient
from kubo_sdk_credhub.keeping.marks import MADE_HERE, origin
from kubo_sdk_credhub.keeping.reading import credential, in_use, signing, with_both


@frozen(kw_only=True)
class Rotation:
    """The three steps.  Which one is due is seen in the versions; nothing else remembers it."""

    client: CredhubClient
    current: Callable[[str], tuple[Version, ...]]
    key_length: int

    def introduce(self, name: str) -> Credential:
        """A new version that is trusted and does not sign, or the one that is there already."""
        entry = self._authority(name)
        there = _transitional(entry)
        if there is not None:
            return self._trusted_with_signer(entry, there.id)
        if not origin(signing(self.current(name))).generated:
            raise Conflict(
                f"the authority {name} was put into CredHub by a person, who has to exchange it; "
                "delete it, and everything it signed, to have one generated"
            )
        made = self._make(entry)
        if not self._children_trust(entry, made):
            self.client.certificates.delete_version(entry, made.id)
            raise ProviderError(
                f"CredHub {self.client.exchange.url} gives the leaves of {name} one authority and not two, so it "
                "cannot be rotated without downtime; set its property certificates.concatenate_cas to true"
            )
        return self._trusted_with_signer(entry, made.id)

    def switch(self, name: str) -> Credential:
        """The transitional version signs from now on, the one that signed becomes transitional."""
        entry = self._authority(name)
        there, signer = _transitional(entry), _signer(entry)
        if there is None or signer is None:
            raise Conflict(f"{name} has no transitional version to switch to; introduce one first")
        current = self.client.certificates.mark_transitional(entry, signer.id)
        now = in_use(current)
        if now.version != there.id:
            self.client.certificates.mark_transitional(entry, there.id)
            raise Conflict(f"{name} has other versions between the two; delete those that nobody uses in CredHub")
        return now

    def retire(self, name: str) -> None:
        """Nobody trusts the transitional version from now on.

        CredHub signs with the newest version that is not transitional, so one newer than the signer has to go.
        """
        entry = self._authority(name)
        there, signer = _transitional(entry), _signer(entry)
        if there is None:
            return
        if signer is not None and entry.versions.index(there) < entry.versions.index(signer):
            self.client.certificates.delete_version(entry, there.id)
        else:
            self.client.certificates.mark_transitional(entry, None)

    def _make(self, entry: CertificateEntry) -> Version:
        """A new transitional version, or the one another process has just made: CredHub refuses a second."""
        try:
            return self.client.certificates.regenerate(
                entry, transitional=True, key_length=self.key_length, metadata=MADE_HERE
            )
        except ProviderError:
            current = self.client.certificates.versions(entry, current=True)
            made = next((version for version in current if version.transitional), None)
            if made is None:
                raise
            return made

    def _authority(self, name: str) -> CertificateEntry:
        try:
            entry = self.client.certificates.named(name)
        except NotFound:
            other = self.client.credentials.current(name)  # NotFound as well where there is nothing at all
            raise Conflict(f"{name} is a {other[0].type} and no authority") from None
        if not any(version.authority for version in entry.versions):
            raise Conflict(f"{name} is a certificate that signs nothing and no authority")
        return entry

    def _trusted_with_signer(self, entry: CertificateEntry, version_id: str) -> Credential:
        current = self.client.certificates.versions(entry, current=True)
        own = next(each for each in current if each.id == version_id)
        signer = next((each for each in current if each.id != version_id), own)
        return with_both(credential(own), credential(signer))

    def _children_trust(self, entry: CertificateEntry, made: Version) -> bool:
        """Whether a leaf names the new authority too.  One of them tells of all."""
        if not entry.signs:
            return True
        leaf = in_use(self.client.credentials.current(entry.signs[0])).value
        if not isinstance(leaf, Certificate) or not isinstance(made.value, Mapping):
            return True
        wanted = load_bundle(str(made.value.get("certificate")), entry.name)[0]
        return wanted in load_bundle(leaf.ca, entry.signs[0])


def _transitional(entry: CertificateEntry) -> CertificateVersion | None:
    return next((version for version in entry.versions if version.transitional), None)


def _signer(entry: CertificateEntry) -> CertificateVersion | None:
    """The newest that is not transitional."""
    return next((version for version in entry.versions if not version.transitional), None)
