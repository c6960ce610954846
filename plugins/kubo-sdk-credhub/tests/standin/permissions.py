"""The endpoints below ``/api/v2/permissions``, and whether an actor may do something."""

from __future__ import annotations

import json
import uuid
from typing import Any

from . import words
from .web import Answer, Request
from .words import Refused

OPERATIONS = {"read", "write", "delete", "read_acl", "write_acl"}
ROOT = "/api/v2/permissions"


class Permissions:
    """The caller holds the lock."""

    def __init__(self) -> None:
        self.given: dict[str, dict[str, Any]] = {}

    def allow(self, actor: str, name: str, operation: str) -> bool:
        name = name.lower()
        for each in self.given.values():
            path = each["path"].lower()
            below = path.endswith("/*") and name.startswith(path[:-1])
            if each["actor"] == actor and operation in each["operations"] and (below or path == name):
                return True
        return False

    def grant(self, path: str, actor: str, *operations: str) -> None:
        """Give a right without asking anybody."""
        key = str(uuid.uuid4())
        self.given[key] = {"path": path, "operations": list(operations), "actor": actor, "uuid": key}

    def answer(self, request: Request, actor: str) -> Answer:
        key = request.path.removeprefix(ROOT).strip("/")
        said = json.loads(request.body) if request.body else {}
        if request.method == "GET" and not key:
            return Answer(200, self._of(request.query["path"], request.query["actor"]))
        if request.method == "POST" and not key:
            return Answer(201, self._add(said, actor))
        if key not in self.given:
            raise Refused(404, words.PERMISSION_ACCESS)
        found = self.given[key]
        if request.method == "GET":
            return Answer(200, found)
        if found["actor"] == actor:
            raise Refused(400, words.OWN_PERMISSION)
        if request.method == "DELETE":
            return Answer(200, self.given.pop(key))
        if request.method == "PUT" and (said.get("path"), said.get("actor")) != (found["path"], found["actor"]):
            raise Refused(400, words.PERMISSION_PAIR)
        found["operations"] = _operations(said)
        return Answer(200, found)

    def _of(self, path: str, actor: str) -> dict[str, Any]:
        for each in self.given.values():
            if (each["path"].lower(), each["actor"]) == (path.lower(), actor):
                return each
        raise Refused(404, words.PERMISSION_ACCESS)

    def _add(self, said: dict[str, Any], actor: str) -> dict[str, Any]:
        for key in said:
            if key not in {"path", "actor", "operations"}:
                raise Refused(422, words.unknown_key(key))
        if said["actor"] == actor:
            raise Refused(400, words.OWN_PERMISSION)
        try:
            self._of(said["path"], said["actor"])
        except Refused:
            self.grant(said["path"], said["actor"], *_operations(said))
            return self._of(said["path"], said["actor"])
        raise Refused(409, words.PERMISSION_EXISTS)


def _operations(said: dict[str, Any]) -> list[str]:
    operations = list(said.get("operations") or ())
    if not operations or not OPERATIONS.issuperset(operations):
        raise Refused(400 if not operations else 422, words.PERMISSION_OPERATION)
    return operations
