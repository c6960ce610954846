"""Uaa: asks the token server for tokens.  Remembers nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from kubo_sdk.clients.response import Response
from kubo_sdk.errors import AuthError, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk_credhub.api.grants import Form
from kubo_sdk_credhub.api.server import Message, Server

SCOPES = ("credhub.read", "credhub.write")
HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
REFUSED = (400, 401, 403)


@frozen(kw_only=True)
class Token:
    """``lasts``: seconds from when it was asked for.  ``scopes`` is None where the server does not tell."""

    access: Secret
    lasts: float
    refresh: Secret | None = None
    scopes: frozenset[str] | None = field(default=None)


@frozen
class Uaa:
    """The token server at one URL."""

    server: Server

    def ask(self, form: Form, actor: str) -> Token:
        """A token for *form*.

        AuthError when the UAA refuses: it is asked once, since many refusals in a row lock an account.  Unavailable and
        ProviderError when it does not answer as it should.
        """
        plain = {name: part.reveal() if isinstance(part, Secret) else part for name, part in form.items()}
        message = Message(method="POST", path="/oauth/token", body=urlencode(plain).encode(), headers=HEADERS)
        response = self.server.send(message)
        if response.status in REFUSED:
            raise AuthError(
                f"the UAA {self.server.url} refuses {actor}: {_reason(response)}; correct its secret or its right to "
                "log in (no further attempt is made with the same secret for a while, so that nothing gets locked)"
            )
        if response.status == 429 or response.status >= 500:
            raise Unavailable(f"the UAA {self.server.url} answers HTTP {response.status}; see to it, then run again")
        return self._read(response)

    def _read(self, response: Response) -> Token:
        try:
            said = response.json()
        except ProviderError:
            said = None
        if response.status != 200 or not isinstance(said, dict) or not isinstance(said.get("access_token"), str):
            raise ProviderError(f"{self.server.url} does not answer like a UAA; check auth-server.url of CredHub")
        return token_of(said)


def token_of(said: dict[str, Any]) -> Token:
    """The token in the answer of a token server.  Pure."""
    lasts, refresh, scope = said.get("expires_in"), said.get("refresh_token"), said.get("scope")
    return Token(
        access=Secret(said["access_token"]),
        lasts=float(lasts) if isinstance(lasts, int | float) else 0.0,
        refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        scopes=frozenset(scope.split()) if isinstance(scope, str) else None,
    )


def _reason(response: Response) -> str:
    try:
        said = response.json()
    except ProviderError:
        said = None
    words = said.get("error_description") or said.get("error") if isinstance(said, dict) else None
    return " ".join(str(words).split())[:200] if words else f"HTTP {response.status}"
