"""CredHub's endpoints for credentials and certificates, behind its authentication."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import certificates, credentials, permissions, words
from .uaa import InvalidToken, Uaa
from .vault import Vault
from .web import Answer, Request
from .words import Refused

APP = re.compile(r"app:([a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[a-f0-9]{4}-[a-f0-9]{12})")
SCOPES = {"credhub.read", "credhub.write"}


class Credhub:
    """``read_only``, ``enforces`` (permissions), ``ahead`` (its clock) and ``failing`` make it go wrong.

    ``calls`` counts what was asked.  ``cut``: of the next so many changes the answer of every second one gets lost.
    ``failing`` answers the next so many requests with that status.
    ``leaves_after``: after so many changes it answers nothing any more.
    """

    def __init__(self, uaa: Uaa | None) -> None:
        self.uaa = uaa
        self.read_only = False
        self.enforces = False
        self.ahead = timedelta()
        self.failing: list[int] = []
        self.cut = 0
        self.leaves_after: int | None = None
        self.version = "2.15.20"
        self.calls: Counter[str] = Counter()
        self.vault = Vault(self.now)
        self.permissions = permissions.Permissions()
        self.lock = threading.RLock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def answer(self, request: Request) -> Answer | None:
        with self.lock:
            self.calls[f"{request.method} {request.path}"] += 1
            if self.failing:
                return Answer(self.failing.pop(0), b"<html>bad gateway</html>")
            if self._has_left(request):
                return None
            answer = self._answer(request)
            if self.cut and request.method != "GET" and answer.status < 300:
                self.cut -= 1
                return None if self.cut % 2 else answer
            return answer

    def _has_left(self, request: Request) -> bool:
        """Whether it does not answer any more."""
        if self.leaves_after is not None and request.method != "GET":
            self.leaves_after = max(0, self.leaves_after - 1)
        return self.leaves_after == 0

    def _answer(self, request: Request) -> Answer:
        try:
            if request.path == "/info":
                url = self.uaa.url if self.uaa else ""
                return Answer(200, {"auth-server": {"url": url}, "app": {"name": "CredHub"}})
            if request.path == "/health":
                return Answer(200, {"status": "UP"})
            actor = self._actor(request)
            self._require_writable(request)
            return self._route(request, actor)
        except Refused as refused:
            return Answer(refused.status, {"error": refused.error})
        except _Unauthenticated as refused:
            return Answer(refused.status, refused.body)
        except (ValueError, TypeError, AttributeError):
            return Answer(400, {"error": words.BAD_REQUEST})

    def _require_writable(self, request: Request) -> None:
        if self.read_only and request.method != "GET":
            raise Refused(503, words.READ_ONLY)

    def _actor(self, request: Request) -> str:
        """The certificate comes first: a bad one is refused, a token beside it or not."""
        if request.peer is not None:
            return _app(request.peer)
        kind, _, token = (request.headers.get("Authorization") or "").partition(" ")
        if self.uaa is None or kind.lower() != "bearer" or not token:
            said = "Full authentication is required to access this resource"
            raise _Unauthenticated(401, {"error": "access_denied", "error_description": said})
        try:
            claims = self.uaa.claims(token, self.now().timestamp())
        except InvalidToken as error:
            said = "Access token expired" if str(error) == "access_token_expired" else "The token is not good"
            raise _Unauthenticated(401, {"error": str(error), "error_description": said}) from None
        if not SCOPES.issubset(claims["scope"]):
            raise _Unauthenticated(403, {"status": 403, "error": "Forbidden", "path": request.path})
        if claims["grant_type"] == "password":
            return f"uaa-user:{claims['user_id']}"
        return f"uaa-client:{claims['client_id']}"

    def _route(self, request: Request, actor: str) -> Answer:
        path = request.path
        if path == "/version" and request.method == "GET":
            return Answer(200, {"version": self.version})
        if path == "/api/v1/key-usage" and request.method == "GET":
            count = sum(len(entry.versions) for entry in self.vault.entries.values())
            return Answer(200, {"active_key": count, "inactive_keys": 0, "unknown_keys": 0})
        if path.startswith("/api/v2/permissions"):
            return self.permissions.answer(request, actor)
        call = Call(self, request, actor)
        answer = certificates.answer(call) if path.startswith("/api/v1/certificates") else credentials.answer(call)
        return Answer(404) if answer is None else answer


class Call:
    """One authenticated request and what its handler needs."""

    def __init__(self, credhub: Credhub, request: Request, actor: str) -> None:
        self.vault = credhub.vault
        self.request = request
        self.actor = actor
        self.query = request.query
        self._credhub = credhub

    def body(self, known: set[str], status: int = 400) -> dict[str, Any]:
        """The JSON object of the body; a key it does not know is refused."""
        try:
            said = json.loads(self.request.body or b"{}")
        except ValueError:
            raise Refused(400, words.BAD_REQUEST) from None
        if not isinstance(said, dict):
            raise Refused(400, words.BAD_REQUEST)
        for key in said:
            if key not in known:
                raise Refused(status, words.unknown_key(key))
        return said

    def may(self, operation: str, name: str) -> bool:
        return not self._credhub.enforces or self._credhub.permissions.allow(self.actor, name, operation)

    def require(self, operation: str, name: str, error: str = words.ACCESS) -> None:
        """Writing that is not allowed is 403; all else looks as if there were nothing."""
        if not self.may(operation, name):
            raise Refused(403 if operation == "write" else 404, error)


class _Unauthenticated(Exception):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _app(der: bytes) -> str:
    peer = x509.load_der_x509_certificate(der)
    units = [str(part.value) for part in peer.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    found = [match[1] for unit in units if (match := APP.fullmatch(unit))]
    if not found:
        raise _Unauthenticated(401, {"error": words.MTLS_IDENTITY})
    usages = peer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        raise _Unauthenticated(401, {"error": words.MTLS_IDENTITY})
    return f"mtls-app:{uuid.UUID(found[0])}"
