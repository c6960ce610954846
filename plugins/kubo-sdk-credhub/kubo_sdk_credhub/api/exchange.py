"""Exchange: one authenticated question to CredHub and its answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from kubo_sdk.clients.response import Response
from kubo_sdk.errors import ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk_credhub.api.refusals import Asked, refusal
from kubo_sdk_credhub.api.server import Message, Server
from kubo_sdk_credhub.api.session import Session

READING = "GET"


class Exchange:
    """Shows the session's token, or the certificate of the connection where there is no session."""

    def __init__(self, server: Server, session: Session | None) -> None:
        self.url = server.url
        self.actor = "the client certificate" if session is None else session.actor
        self._server = server
        self._session = session

    def ask(
        self,
        method: str,
        path: str,
        *,
        what: str,
        name: str = "",
        query: Mapping[str, str] | None = None,
        body: Any = None,
        idempotent: bool | None = None,
    ) -> Any:
        """What CredHub answers, None for an empty body.  Raises the error that a refusal stands for.

        Reading and deleting are *idempotent* unless told otherwise, all else is not.  *what* and *name* are for the
        sentence of a refusal: ``generate /director/cluster/ca``, ``/director/cluster/ca``.
        """
        message = Message(
            method=method,
            path=path + (f"?{urlencode(query)}" if query else ""),
            body=None if body is None else json.dumps(body).encode(),
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            idempotent=method in (READING, "DELETE") if idempotent is None else idempotent,
        )
        response = self._send(message)
        if response.status >= 300:
            asked = Asked(url=self.url, actor=self.actor, what=what, name=name, changes=method != READING)
            raise refusal(response, asked)
        return self._read(response, what)

    def _send(self, message: Message) -> Response:
        """The answer; a token that is not taken any more is replaced once."""
        if self._session is None:
            return self._server.send(message)
        token = self._session.token()
        response = self._server.send(_with(message, token))
        if response.status != 401:
            return response
        return self._server.send(_with(message, self._session.token(stale=token)))

    def _read(self, response: Response, what: str) -> Any:
        if not response.body.strip():
            return None
        try:
            return response.json()
        except ProviderError:
            raise ProviderError(
                f"{self.url} answered something that is not CredHub's JSON when asked to {what}; check the url"
            ) from None


def _with(message: Message, token: Secret) -> Message:
    headers = {**message.headers, "Authorization": f"Bearer {token.reveal()}"}
    return Message(
        method=message.method, path=message.path, body=message.body, headers=headers, idempotent=message.idempotent
    )
