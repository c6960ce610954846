"""Permissions: who may do what below which path (version 2 of that part of the API)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from kubo_sdk.errors import ProviderError
from kubo_sdk_credhub.api.exchange import Exchange

ROOT = "/api/v2/permissions"


class Operation(StrEnum):
    """What an actor may do."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    READ_ACL = "read_acl"
    WRITE_ACL = "write_acl"


@frozen(kw_only=True)
class Permission:
    """``actor``: ``uaa-client:NAME``, ``uaa-user:ID`` or ``mtls-app:UUID``.  ``path``: a name or ``/some/path/*``."""

    id: str
    path: str
    actor: str
    operations: frozenset[Operation]


@frozen
class Permissions:
    """Nobody may change the permissions of their own actor."""

    exchange: Exchange

    def find(self, path: str, actor: str) -> Permission:
        """The permission of that path and actor.  Raises NotFound."""
        what, name = f"read the permission of {actor} on {path}", f"permission of {actor} on {path}"
        return _permission(self.exchange.ask("GET", ROOT, query={"path": path, "actor": actor}, what=what, name=name))

    def get(self, permission_id: str) -> Permission:
        """The permission of that id.  Raises NotFound."""
        return self._ask("GET", permission_id, None)

    def add(self, path: str, actor: str, operations: Sequence[Operation]) -> Permission:
        """Raises Conflict where that path and actor have one."""
        body = {"path": path, "actor": actor, "operations": [str(word) for word in operations]}
        return _permission(self.exchange.ask("POST", ROOT, body=body, what=f"give {actor} rights on {path}", name=path))

    def replace(self, permission: Permission) -> Permission:
        """Store *permission* in place of the one of its id, which must have its path and actor."""
        body = {"path": permission.path, "actor": permission.actor, "operations": sorted(permission.operations)}
        return self._ask("PUT", permission.id, body)

    def change(self, permission_id: str, operations: Sequence[Operation]) -> Permission:
        """Replace what the actor may do."""
        return self._ask("PATCH", permission_id, {"operations": [str(word) for word in operations]})

    def delete(self, permission_id: str) -> Permission:
        """Delete it; returns what it was."""
        return self._ask("DELETE", permission_id, None)

    def _ask(self, method: str, permission_id: str, body: Mapping[str, Any] | None) -> Permission:
        what, name = f"{method.lower()} a permission", f"permission {permission_id}"
        again = method in ("GET", "PUT", "PATCH")
        said = self.exchange.ask(method, f"{ROOT}/{permission_id}", body=body, what=what, name=name, idempotent=again)
        return _permission(said)


def _permission(said: Any) -> Permission:
    try:
        return Permission(
            id=said["uuid"],
            path=said["path"],
            actor=said["actor"],
            operations=frozenset(Operation(word) for word in said["operations"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ProviderError("CredHub answered something that is no permission; check the url") from None
