"""Credentials: the endpoints for credentials of every type."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from kubo_sdk.errors import ConfigError
from kubo_sdk_credhub.api.answers import Found, Version, found, version, versions
from kubo_sdk_credhub.api.exchange import Exchange
from kubo_sdk_credhub.api.orders import Order
from kubo_sdk_credhub.names import checked, checked_path

DATA = "/api/v1/data"

Metadata = Mapping[str, Any]


class WriteMode(StrEnum):
    """What generating does when the name exists."""

    CONVERGE = "converge"
    OVERWRITE = "overwrite"
    NO_OVERWRITE = "no-overwrite"


@frozen
class Credentials:
    """Every method raises AuthError, NotFound, Conflict, Unavailable or ProviderError with one sentence."""

    exchange: Exchange

    def current(self, name: str) -> tuple[Version, ...]:
        """The version in use; of a certificate the transitional one besides, where there is one.  Raises NotFound."""
        return self._by_name(name, {"current": "true"})

    def versions(self, name: str, count: int | None = None) -> tuple[Version, ...]:
        """Every version, or the newest *count*, newest first.  Raises NotFound."""
        return self._by_name(name, {} if count is None else {"versions": str(count)})

    def version(self, version_id: str) -> Version:
        """The version of that id.  Raises NotFound."""
        return version(self.exchange.ask("GET", f"{DATA}/{version_id}", what="get", name=f"version {version_id}"))

    def find(self, path: str, *, expires_within_days: int | None = None) -> tuple[Found, ...]:
        """What lies below *path*, as far as one may read it."""
        return self._search({"path": checked_path(path)}, expires_within_days)

    def find_like(self, part: str, *, expires_within_days: int | None = None) -> tuple[Found, ...]:
        """Every name with *part* in it, whatever its case."""
        return self._search({"name-like": part}, expires_within_days)

    def set(self, name: str, kind: str, value: Any, metadata: Metadata | None = None) -> Version:
        """Store a new version of what one brings; after a lost answer the same may be stored twice."""
        body = {"name": checked(name), "type": kind, "value": value, **_given(metadata)}
        return self._written("PUT", DATA, body, f"set {name}", name, idempotent=True)

    def generate(
        self, name: str, order: Order, mode: WriteMode = WriteMode.CONVERGE, metadata: Metadata | None = None
    ) -> Version:
        """Let CredHub make a value.  ConfigError, before it is asked, with everything it cannot do."""
        problems = [f"{name}: {problem}" for problem in order.problems()]
        if problems:
            raise ConfigError(problems)
        body = {
            "name": checked(name),
            "type": order.type,
            "mode": mode.value,
            "parameters": order.parameters(),
            **_given(metadata),
        }
        again = mode is not WriteMode.OVERWRITE
        return self._written("POST", DATA, body, f"generate {name}", name, idempotent=again)

    def delete(self, name: str) -> None:
        """Delete every version.  NotFound when there is none, or one may not."""
        self.exchange.ask("DELETE", DATA, query={"name": checked(name)}, what=f"delete {name}", name=name)

    def regenerate(self, name: str, metadata: Metadata | None = None) -> Version:
        """A new version with the parameters of the one before."""
        body = {"name": checked(name), **_given(metadata)}
        return self._written("POST", "/api/v1/regenerate", body, f"regenerate {name}", name)

    def bulk_regenerate(self, signed_by: str) -> tuple[str, ...]:
        """New versions of everything that CA signed, directly or not; all or none.  The names."""
        said = self.exchange.ask(
            "POST",
            "/api/v1/bulk-regenerate",
            body={"signed_by": checked(signed_by)},
            what=f"regenerate what {signed_by} signed",
            name=signed_by,
        )
        return tuple(said.get("regenerated_credentials") or ())

    def interpolate(self, services: Mapping[str, Any]) -> Mapping[str, Any]:
        """*services*, as in VCAP_SERVICES, with every credhub-ref replaced by the JSON credential it names."""
        filled: Mapping[str, Any] = self.exchange.ask(
            "POST", "/api/v1/interpolate", body=services, what="interpolate services", idempotent=True
        )
        return filled

    def _by_name(self, name: str, more: Mapping[str, str]) -> tuple[Version, ...]:
        query = {"name": checked(name), **more}
        return versions(self.exchange.ask("GET", DATA, query=query, what=f"get {name}", name=f"credential {name}"))

    def _search(self, query: dict[str, str], days: int | None) -> tuple[Found, ...]:
        if days is not None:
            query["expires-within-days"] = str(days)
        return found(self.exchange.ask("GET", DATA, query=query, what="find credentials"))

    def _written(
        self, method: str, path: str, body: Mapping[str, Any], what: str, name: str, *, idempotent: bool = False
    ) -> Version:
        return version(self.exchange.ask(method, path, body=body, what=what, name=name, idempotent=idempotent))


def _given(metadata: Metadata | None) -> dict[str, Any]:
    """Servers before 2.6 refuse the key."""
    return {} if metadata is None else {"metadata": dict(metadata)}
