"""Response: what a server answered, and the error that its status stands for."""

from __future__ import annotations

import json
from typing import Any

from attrs import field, frozen

from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, Unavailable

LONGEST_EXPLANATION = 300


@frozen(kw_only=True)
class Response:
    """One answer, whatever its status.  ``endpoint`` is ``host:port``; ``retry_after`` is in seconds."""

    status: int
    body: bytes = field(repr=False)
    endpoint: str
    retry_after: float | None = None

    def json(self) -> Any:
        """The body as JSON.  ProviderError when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ProviderError(f"{self.endpoint} answered something that is not JSON") from None

    def explanation(self) -> str:
        """What the server says went wrong, on one line.  etcd 3.4 calls it ``error``, everything newer ``message``."""
        try:
            said = json.loads(self.body)
        except ValueError:
            said = self.body.decode(errors="replace")
        if isinstance(said, dict):
            said = said.get("message") or said.get("error") or ""
        return " ".join(str(said).split())[:LONGEST_EXPLANATION] or f"HTTP {self.status}"

    def check(self, what: str) -> Response:
        """This response, or the error that its status stands for.  *what* is what was asked for: ``get nodes``."""
        if self.status < 300:
            return self
        raise self.error(f"{what} failed on {self.endpoint}: {self.explanation()}")

    def error(self, message: str) -> ProviderError:
        """The error that the status stands for, with *message*."""
        if self.status in (401, 403):
            return AuthError(message)
        if self.status == 404:
            return NotFound(message)
        if self.status == 409:
            return Conflict(message)
        if self.status == 429 or self.status >= 500:
            return Unavailable(message, retry_after=self.retry_after or 0.25)
        return ProviderError(message)
