"""EtcdGateway: calls to etcd's JSON gateway, with the token that etcd wants once its authentication is on."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from threading import Lock
from typing import Any

from kubo_sdk.clients.connection import Address
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.response import Response
from kubo_sdk.clients.stream import LineStream
from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.model.secret import Secret

ATTEMPTS = 3
AUTHENTICATION_IS_OFF = "authentication is not enabled"
WANTS_TOKEN = ("invalid auth token", "user name is empty")
REFUSES_COMMON_NAME = "CommonName of client"
OLD_REVISION = ("auth: revision in header is old", "revision of auth store is old")

# etcd answers 400 to all of these; only its text tells them apart.
MEANINGS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("already exist", Conflict),
    ("not found", NotFound),
    ("authentication failed", AuthError),
    *((text, AuthError) for text in WANTS_TOKEN),
    ("database space exceeded", QuotaExceeded),
    ("unhealthy cluster", Unavailable),
    ("not started member", Unavailable),
    ("in sync with leader", Unavailable),
    ("not enough started members", Unavailable),
    ("too many learner members", Unavailable),
)


def encode(data: str | bytes) -> str:
    """A key or value as the gateway wants it."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def decode(text: str) -> bytes:
    """A key or value as the gateway sent it."""
    return base64.b64decode(text)


class EtcdGateway:
    """One path, one JSON object in, one out.  Thread-safe.

    While authentication is on, etcd refuses gateway clients whose certificate has a common name: issue it without one.

    etcd's tokens are known to every member, so one is kept for all endpoints.  It dies with five minutes of silence,
    with its member's restart and with a change of the password: a refused one is replaced and the call repeated.
    """

    def __init__(self, https: HttpsClient) -> None:
        self.https = https
        self._lock = Lock()
        self._user = ""
        self._password = Secret("")
        self._token = ""

    def call(
        self,
        path: str,
        request: Mapping[str, Any],
        *,
        what: str,
        idempotent: bool = False,
        endpoint: Address | None = None,
    ) -> dict[str, Any]:
        """POST *request* to ``/v3/<path>`` and return the reply.  *what* names the call in errors.

        Raises a ProviderError: AuthError, NotFound, Conflict, QuotaExceeded, or Unavailable where asking again helps.
        """
        for _ in range(ATTEMPTS):
            token = self._token
            response = self._post(path, request, token, idempotent, endpoint)
            text = response.explanation() if response.status >= 300 else ""
            if self._user and any(sign in text for sign in WANTS_TOKEN):
                self._renew(token)
            elif not any(sign in text for sign in OLD_REVISION):
                break
        reply: dict[str, Any] = checked(response, what).json()
        return reply

    def stream(
        self, path: str, request: Mapping[str, Any], *, what: str, endpoint: Address, silence: float
    ) -> LineStream:
        """POST *request* to ``/v3/<path>`` of *endpoint* and read its answer line by line, none later than *silence*
        seconds.
        """

        def opened() -> LineStream:
            return self.https.stream(
                "POST",
                f"/v3/{path}",
                json.dumps(request).encode(),
                headers=_headers(self._token),
                silence=silence,
                what=what,
                endpoint=endpoint,
            )

        try:
            return opened()
        except ProviderError as error:
            if not (self._user and any(sign in str(error) for sign in WANTS_TOKEN)):
                raise
        self._renew(self._token)
        return opened()

    def authenticate(self, user: str, password: Secret) -> bool:
        """Speak as *user* from now on.  False: authentication is off in this etcd, and nobody needs it yet.

        Raises AuthError, and goes on as before, when the password is wrong.
        """
        token = self.token_for(user, password)
        with self._lock:
            self._user, self._password, self._token = user, password, token or ""
        return token is not None

    def token_for(self, user: str, password: Secret) -> str | None:
        """A new token, or None while authentication is off.  AuthError when the password is wrong."""
        response = self._post("auth/authenticate", {"name": user, "password": password.reveal()}, "", True, None)
        if AUTHENTICATION_IS_OFF in response.explanation():
            return None
        return str(checked(response, f"authentication as {user!r}").json()["token"])

    def _renew(self, refused: str) -> None:
        """Replace the *refused* token, unless another thread has done so."""
        with self._lock:
            if self._token == refused:
                self._token = self.token_for(self._user, self._password) or ""

    def _post(
        self, path: str, request: Mapping[str, Any], token: str, idempotent: bool, endpoint: Address | None
    ) -> Response:
        return self.https.request(
            "POST",
            f"/v3/{path}",
            json.dumps(request).encode(),
            headers=_headers(token),
            idempotent=idempotent,
            endpoint=endpoint,
        )


def _headers(token: str) -> dict[str, str]:
    # Without Accept, etcd takes the common name of its own server certificate for the user of the request.
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return {**headers, "Authorization": token} if token else headers


def checked(response: Response, what: str) -> Response:
    """*response*, or the error it stands for."""
    if response.status >= 300:
        text = response.explanation()
        if REFUSES_COMMON_NAME in text:
            raise AuthError(
                f"etcd {response.endpoint} refuses client certificates with a common name; issue one without"
            )
        for sign, error in MEANINGS:
            if sign in text:
                raise error(f"{what} failed on etcd {response.endpoint}: {text}")
    return response.check(what)
