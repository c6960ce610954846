"""The words of the BOSH CPI protocol: one request, one response, both JSON.  Knows no process and no method."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

CLOUDS = "Bosh::Clouds::"
HIGHEST_VERSION = 2


class MalformedError(Exception):
    """What was read is no message of the protocol.  The text goes on after what it was read from: ``is not JSON``."""


@frozen(kw_only=True)
class Request:
    """One call.  ``api_version`` is None where the caller leaves it out, which means 1."""

    method: str
    arguments: tuple[Any, ...] = field(default=(), repr=False)
    context: Mapping[str, Any] = field(factory=dict, repr=False)
    api_version: int | None = None

    def encode(self) -> bytes:
        """The request as it goes into the executable's standard input."""
        content = {"method": self.method, "arguments": list(self.arguments), "context": dict(self.context)}
        return _encode(content if self.api_version is None else {**content, "api_version": self.api_version})


@frozen(kw_only=True)
class Fault:
    """Why a call failed.  ``ok_to_retry``: the same call may succeed later."""

    type: str
    message: str
    ok_to_retry: bool = False

    @property
    def name(self) -> str:
        """The type without the director's name space: ``VMNotFound``."""
        return self.type.removeprefix(CLOUDS)


@frozen(kw_only=True)
class Response:
    """The answer to one call: a result or a fault, and what was logged on the way."""

    result: Any = field(default=None, repr=False)
    fault: Fault | None = None
    log: str = field(default="", repr=False)

    def encode(self) -> bytes:
        """The response with all of its three keys, as a director demands."""
        error = None
        if self.fault is not None:
            error = {"type": self.fault.type, "message": self.fault.message, "ok_to_retry": self.fault.ok_to_retry}
        return _encode({"result": self.result, "error": error, "log": self.log})


def parse_request(content: bytes) -> Request:
    """The request in *content*; MalformedError when it is none."""
    found = _object(content)
    method, arguments = found.get("method"), found.get("arguments")
    context, version = found.get("context"), found.get("api_version")
    if not isinstance(method, str) or not method:
        raise MalformedError("has no method")
    if not isinstance(arguments, list):
        raise MalformedError("has no list of arguments")
    if context is not None and not isinstance(context, dict):
        raise MalformedError("has a context that is no object")
    if version is not None and type(version) is not int:
        raise MalformedError("has an api_version that is no whole number")
    return Request(method=method, arguments=tuple(arguments), context=context or {}, api_version=version)


def parse_response(content: bytes) -> Response:
    """The response in *content*, as strict as a director; MalformedError when it is none."""
    found = _object(content)
    missing = [key for key in ("result", "error", "log") if key not in found]
    if missing:
        raise MalformedError(f"lacks the key {missing[0]!r}")
    if not isinstance(found["log"], str):
        raise MalformedError("has a log that is no text")
    return Response(result=found["result"], fault=_fault(found["error"]), log=found["log"])


def _fault(error: Any) -> Fault | None:
    if error is None:
        return None
    kinds = {"type": str, "message": str, "ok_to_retry": bool}
    if not isinstance(error, dict) or any(type(error.get(key)) is not kind for key, kind in kinds.items()):
        raise MalformedError("has an error without type, message and ok_to_retry")
    return Fault(type=error["type"], message=error["message"], ok_to_retry=error["ok_to_retry"])


def _object(content: bytes) -> dict[str, Any]:
    if not content.strip():
        raise MalformedError("is empty")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):  # the reason would quote what may be secret
        raise MalformedError("is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedError("is no JSON object")
    return found


def _encode(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
