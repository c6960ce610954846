"""Uaa: tokens for one client of Cloud Foundry's UAA, each kept until shortly before it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from kubo_sdk_cfrouting.agent.https import Answer, Https
from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError

# A token that is about to end may be refused on its way, or by a server whose clock is ahead.
SPARE_SECONDS = 60.0
SPARE_SHARE = 0.5
# A login that was refused is not tried again for so long: UAA locks a client out after a few.
REST_SECONDS = 60.0
# A token younger than this that is refused will not be better the next time.
YOUNG_SECONDS = 30.0


class _Held(NamedTuple):
    token: str
    scopes: frozenset[str] | None
    made_at: float
    renew_at: float


class _Refused(NamedTuple):
    error: RoutingError
    until: float
    secret: str


class Uaa:
    """``secret`` is read anew for every login.  Thread-safe: while one logs in, the others wait for its token."""

    def __init__(
        self, https: Https, client: str, secret: Callable[[], str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.client = client
        self._https = https
        self._secret = secret
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._refused: _Refused | None = None

    def token(self) -> str:
        """A token that has not ended.  RoutingError AWAY, DISTRUST or LOGIN when there is none."""
        with self._lock:
            held = self._held
            if held is None or self._monotonic() >= held.renew_at:
                held = self._held = self._obtain()
            return held.token

    def another(self, refused: str) -> str | None:
        """A token instead of the *refused* one; None when that one is so new that no other would be taken either."""
        with self._lock:
            held = self._held
            if held is not None and held.token != refused:
                return held.token
            if held is not None and self._monotonic() - held.made_at < YOUNG_SECONDS:
                return None
            self._held = self._obtain()
            return self._held.token

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the token in use allows, as far as the UAA told."""
        held = self._held
        return None if held is None else held.scopes

    def _obtain(self) -> _Held:
        now, secret = self._monotonic(), self._secret()
        refused = self._refused
        if refused is not None and now < refused.until and secret == refused.secret:
            raise refused.error
        answer = self._https.ask("POST", "/oauth/token", _HEADERS, _form(self.client, secret))
        if answer.status in (400, 401, 403):
            error = RoutingError(Kind.LOGIN, self._refusal(answer))
            self._refused = _Refused(error, now + REST_SECONDS, secret)
            raise error
        self._refused = None
        return self._read(answer, now)

    def _read(self, answer: Answer, now: float) -> _Held:
        where = f"the UAA {self._https.url}"
        if answer.status != 200:
            raise RoutingError(
                Kind.AWAY, f"{where} gives no token now: HTTP {answer.status}, {_explanation(answer)}; check the url"
            )
        try:
            said = answer.json()
            token, lasts = str(said["access_token"]), float(said.get("expires_in", 0))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RoutingError(Kind.AWAY, f"{where} answers something that is no token; check the url") from None
        scopes = said.get("scope")
        return _Held(
            token=token,
            scopes=frozenset(scopes.split()) if isinstance(scopes, str) else None,
            made_at=now,
            renew_at=now + lasts - min(SPARE_SECONDS, lasts * SPARE_SHARE),
        )

    def _refusal(self, answer: Answer) -> str:
        return (
            f"the UAA {self._https.url} refuses the client {self.client}: {_explanation(answer)}; "
            "check its name and secret, and that it has the grant type client_credentials"
        )


_HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


def _form(client: str, secret: str) -> bytes:
    fields = {
        "grant_type": "client_credentials",
        "response_type": "token",
        "client_id": client,
        "client_secret": secret,
    }
    return urlencode(fields).encode()


def _explanation(answer: Answer) -> str:
    """What the UAA says about it, cut short; never what was sent."""
    try:
        said: Any = answer.json()
        text = str(said.get("error_description") or said.get("error") or "")
    except (ValueError, AttributeError):
        text = ""
    return text[:200] or f"HTTP {answer.status}"
