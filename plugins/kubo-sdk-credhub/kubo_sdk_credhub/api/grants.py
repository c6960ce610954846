"""Grants: what a login says to the token server.  CredHub works with these two and with no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import frozen

from kubo_sdk.model.secret import Secret

Form = Mapping[str, str | Secret]


class Grant(Protocol):
    """One way to log in."""

    @property
    def actor(self) -> str:
        """Who logs in, for sentences."""
        ...

    def read(self) -> Form:
        """The form of a login, its secrets read anew."""
        ...

    def refresh(self, token: Secret) -> Form:
        """The form that trades a refresh token in."""
        ...


@frozen(kw_only=True)
class ClientGrant:
    """A client of the UAA.  It gets no refresh token."""

    client: str
    secret: Callable[[], Secret]

    @property
    def actor(self) -> str:
        return f"the client {self.client!r}"

    def read(self) -> Form:
        return {
            "grant_type": "client_credentials",
            "response_type": "token",
            "client_id": self.client,
            "client_secret": self.secret(),
        }

    def refresh(self, token: Secret) -> Form:
        return {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": self.client,
            "client_secret": self.secret(),
        }


@frozen(kw_only=True)
class UserGrant:
    """A user of the UAA, by name and password, through a client that has no secret unless one is given."""

    user: str
    password: Callable[[], Secret]
    client: str
    client_secret: Callable[[], Secret] | None = None

    @property
    def actor(self) -> str:
        return f"the user {self.user!r}"

    def read(self) -> Form:
        own: Form = {"username": self.user, "password": self.password()}
        return {"grant_type": "password", "response_type": "token", **own, **self._through()}

    def refresh(self, token: Secret) -> Form:
        return {"grant_type": "refresh_token", "refresh_token": token, **self._through()}

    def _through(self) -> Form:
        return {"client_id": self.client, "client_secret": "" if self.client_secret is None else self.client_secret()}
