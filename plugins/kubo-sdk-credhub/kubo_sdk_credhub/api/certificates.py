"""Certificates: the endpoints that know versions of a certificate, who signed it, and the transitional one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from kubo_sdk.errors import NotFound
from kubo_sdk_credhub.api.answers import CertificateEntry, Version, certificates, version, versions
from kubo_sdk_credhub.api.exchange import Exchange
from kubo_sdk_credhub.names import checked

ROOT = "/api/v1/certificates"


@frozen
class Certificates:
    """An *entry* is what `named` gives: its ``id`` is the certificate's own, not that of a version."""

    exchange: Exchange

    def all(self) -> tuple[CertificateEntry, ...]:
        """Every certificate one may read."""
        return certificates(self.exchange.ask("GET", ROOT, what="list certificates"))

    def named(self, name: str) -> CertificateEntry:
        """The certificate *name*.  Raises NotFound, also where it is a credential of another type."""
        query = {"name": checked(name)}
        said = self.exchange.ask("GET", ROOT, query=query, what=f"get {name}", name=f"certificate {name}")
        found = certificates(said)
        if not found:
            raise NotFound(f"there is no certificate {name} in CredHub {self.exchange.url}")
        return found[0]

    def versions(self, entry: CertificateEntry, *, current: bool = False) -> tuple[Version, ...]:
        """Every version, newest first, or the one in use and the transitional one."""
        query = {"current": str(current).lower()}
        path = f"{ROOT}/{entry.id}/versions"
        return versions(self.exchange.ask("GET", path, query=query, what=f"get {entry.name}", name=entry.name))

    def add_version(self, entry: CertificateEntry, value: Mapping[str, str], *, transitional: bool = False) -> Version:
        """Store a version one brings: certificate, private_key and one of ca and ca_name."""
        body = {"value": dict(value), "transitional": transitional}
        return self._ask("POST", entry, "/versions", f"add a version to {entry.name}", body)

    def delete_version(self, entry: CertificateEntry, version_id: str) -> None:
        """Delete one version; the last one cannot be."""
        path = f"{ROOT}/{entry.id}/versions/{version_id}"
        self.exchange.ask("DELETE", path, what=f"delete a version of {entry.name}", name=f"version {version_id}")

    def regenerate(
        self,
        entry: CertificateEntry,
        *,
        transitional: bool = False,
        transitional_parent_signs: bool = False,
        key_length: int | None = None,
        duration: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Version:
        """A new version with the same parameters but those given; *transitional* where none is yet."""
        body: dict[str, Any] = {"set_as_transitional": transitional}
        if transitional_parent_signs:
            body["allow_transitional_parent_to_sign"] = True
        more = {"key_length": key_length, "duration": duration, "metadata": metadata}
        body |= {key: value for key, value in more.items() if value is not None}
        return self._ask("POST", entry, "/regenerate", f"regenerate {entry.name}", body)

    def mark_transitional(self, entry: CertificateEntry, version_id: str | None) -> tuple[Version, ...]:
        """That version alone is transitional from now on; ``latest`` is the newest, None says none is.

        Returns the version in use and the transitional one.
        """
        path = f"{ROOT}/{entry.id}/update_transitional_version"
        what = f"change the transitional version of {entry.name}"
        body = {"version": version_id}
        return versions(self.exchange.ask("PUT", path, body=body, what=what, name=entry.name, idempotent=True))

    def _ask(self, method: str, entry: CertificateEntry, path: str, what: str, body: Mapping[str, Any]) -> Version:
        return version(self.exchange.ask(method, f"{ROOT}/{entry.id}{path}", body=body, what=what, name=entry.name))
