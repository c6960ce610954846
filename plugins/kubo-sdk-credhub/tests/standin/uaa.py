"""The token server: grants, signed tokens, refresh, revocation, and accounts that lock."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from attrs import define, field
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from .web import Answer, Request

SCOPES = ("credhub.read", "credhub.write")
LOCKS_AFTER = 5


@define
class Account:
    """A client or a user of the UAA."""

    secret: str
    scopes: tuple[str, ...] = SCOPES
    id: str = field(factory=lambda: str(uuid.uuid4()))


class InvalidToken(Exception):
    """``str`` is the word CredHub answers with."""


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Uaa:
    """``lifetime``: of its tokens, in seconds.  ``calls`` counts logins by grant, ``failures`` those refused."""

    def __init__(self) -> None:
        self.clients = {"kubo": Account("client-secret"), "credhub_cli": Account("")}
        self.users = {"operator": Account("password of the operator")}
        self.lifetime = 3600
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.tells_scope = True
        self.broken = 0
        self.url = ""
        self._key = rsa.generate_private_key(65537, 2048)
        self._refresh: dict[str, tuple[str, str]] = {}
        self._revoked: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer | None:
        with self._lock:
            if self.broken:
                self.broken -= 1
                return Answer(503, b"the UAA is being updated")
            match request.method, request.path:
                case "POST", "/oauth/token":
                    form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
                    return self._token(form)
                case "GET", "/token_keys":
                    return Answer(200, {"keys": [self._jwk()]})
                case "GET", "/.well-known/openid-configuration":
                    return Answer(200, {"issuer": self.issuer})
                case "GET", "/info":
                    return Answer(200, {"app": {"version": "77.20.0"}})
                case "DELETE", path if path.startswith("/oauth/token/revoke/"):
                    self._revoked.add(path.rpartition("/")[2])
                    return Answer(200)
        return Answer(404)

    @property
    def issuer(self) -> str:
        return f"{self.url}/oauth/token"

    def revoke_all(self) -> None:
        """Every token and refresh token given out is refused from now on."""
        with self._lock:
            self._refresh.clear()
            self._key = rsa.generate_private_key(65537, 2048)

    def claims(self, token: str, now: float) -> dict[str, Any]:
        """What a token that is good says; 60 seconds of skew are forgiven."""
        try:
            head, body, signature = token.split(".")
            if json.loads(decoded(head)).get("alg") != "RS256":
                raise InvalidToken("invalid_token")
            self._key.public_key().verify(decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())
            claims: dict[str, Any] = json.loads(decoded(body))
        except (ValueError, InvalidSignature):
            raise InvalidToken("invalid_token") from None
        if claims["iss"] != self.issuer or claims["jti"] in self._revoked:
            raise InvalidToken("invalid_token")
        if claims["exp"] + 60 < now:
            raise InvalidToken("access_token_expired")
        return claims

    def _token(self, form: dict[str, str]) -> Answer:
        grant = form.get("grant_type", "")
        self.calls[grant] += 1
        client = self.clients.get(form.get("client_id", ""))
        if client is None or client.secret != form.get("client_secret", ""):
            self.failures[form.get("client_id", "")] += 1
            return Answer(401, {"error": "invalid_client", "error_description": "Bad credentials"})
        if grant == "client_credentials":
            return self._grant(grant, form["client_id"], None, client)
        if grant == "password":
            return self._password(form)
        if grant == "refresh_token":
            found = self._refresh.get(form.get("refresh_token", ""))
            if found is None:
                return Answer(401, {"error": "invalid_token", "error_description": "The refresh token is revoked"})
            return self._grant("password", *found, self.users[found[1]])
        return Answer(400, {"error": "unsupported_grant_type"})

    def _password(self, form: dict[str, str]) -> Answer:
        name = form.get("username", "")
        user = self.users.get(name)
        if self.failures[name] >= LOCKS_AFTER:
            locked = "Your account has been locked because of too many failed attempts to login."
            return Answer(401, {"error": "unauthorized", "error_description": locked})
        if user is None or user.secret != form.get("password"):
            self.failures[name] += 1
            return Answer(401, {"error": "unauthorized", "error_description": "Bad credentials"})
        return self._grant("password", form["client_id"], name, user)

    def _grant(self, grant: str, client: str, user: str | None, account: Account) -> Answer:
        now = int(time.time())
        claims: dict[str, Any] = {
            "jti": uuid.uuid4().hex,
            "grant_type": grant,
            "client_id": client,
            "scope": list(account.scopes),
            "iss": self.issuer,
            "iat": now,
            "exp": now + self.lifetime,
        }
        answer: dict[str, Any] = {"token_type": "bearer", "expires_in": self.lifetime, "jti": claims["jti"]}
        if self.tells_scope:
            answer["scope"] = " ".join(account.scopes)
        if user is not None:
            claims |= {"user_id": account.id, "user_name": user}
            answer["refresh_token"] = uuid.uuid4().hex
            self._refresh[answer["refresh_token"]] = (client, user)
        return Answer(200, {**answer, "access_token": self._signed(claims)})

    def _signed(self, claims: dict[str, Any]) -> str:
        head = encoded(json.dumps({"alg": "RS256", "kid": "key-1", "typ": "JWT"}).encode())
        text = f"{head}.{encoded(json.dumps(claims).encode())}"
        return f"{text}.{encoded(self._key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"

    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "key-1", "e": "AQAB", "n": encoded(modulus)}
