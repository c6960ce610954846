"""The token server: client credentials, signed tokens that end, and keys that change."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from attrs import define
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .web import Answer, Request

READ_GROUPS, READ, WRITE = "routing.router_groups.read", "routing.routes.read", "routing.routes.write"


@define
class Client:
    secret: str
    scopes: tuple[str, ...]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Uaa:
    """``lifetime``: of its tokens, in seconds.  ``logins`` counts those asked for, by client."""

    def __init__(self) -> None:
        self.clients = {
            "kubo": Client("client-secret+%/=", (READ_GROUPS, READ, WRITE)),
            "tcp_router": Client("router-secret", (READ_GROUPS, READ)),
        }
        self.lifetime = 3600.0
        self.logins: Counter[str] = Counter()
        self.url = ""
        self._key = rsa.generate_private_key(65537, 2048)
        self._lock = threading.Lock()

    @property
    def issuer(self) -> str:
        return f"{self.url}/oauth/token"

    def answer(self, request: Request) -> Answer:
        with self._lock:
            match request.method, request.path:
                case "POST", "/oauth/token":
                    return self._token({key: each[0] for key, each in parse_qs(request.body.decode()).items()})
                case "GET", "/token_key":
                    pem = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                    return Answer(200, {"alg": "RS256", "kty": "RSA", "use": "sig", "value": pem.decode()})
        return Answer(404)

    def revoke_all(self) -> None:
        """Every token given out is refused from now on."""
        with self._lock:
            self._key = rsa.generate_private_key(65537, 2048)

    def scopes_of(self, authorization: str) -> frozenset[str] | None:
        """What the bearer may do; None for a token that is no good."""
        kind, _, token = authorization.partition(" ")
        try:
            head, body, signature = token.split(".")
            said = f"{head}.{body}".encode()
            self._key.public_key().verify(decoded(signature), said, padding.PKCS1v15(), SHA256())
            claims = json.loads(decoded(body))
        except (ValueError, InvalidSignature):
            return None
        good = kind.lower() == "bearer" and claims["iss"] == self.issuer and time.time() < claims["exp"]
        return frozenset(claims["scope"]) if good else None

    def _token(self, form: dict[str, str]) -> Answer:
        name = form.get("client_id", "")
        self.logins[name] += 1
        client = self.clients.get(name)
        if client is None or client.secret != form.get("client_secret"):
            return Answer(401, {"error": "invalid_client", "error_description": "Bad credentials"})
        if form.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        now = time.time()
        claims: dict[str, Any] = {
            "jti": uuid.uuid4().hex,
            "grant_type": "client_credentials",
            "client_id": name,
            "scope": list(client.scopes),
            "iss": self.issuer,
            "exp": now + self.lifetime,
        }
        answer = {"token_type": "bearer", "expires_in": int(self.lifetime), "jti": claims["jti"]}
        return Answer(200, {**answer, "scope": " ".join(client.scopes), "access_token": self._signed(claims)})

    def _signed(self, claims: dict[str, Any]) -> str:
        text = f"{encoded(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{encoded(json.dumps(claims).encode())}"
        return f"{text}.{encoded(self._key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"
