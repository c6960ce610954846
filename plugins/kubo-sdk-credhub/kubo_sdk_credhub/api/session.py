"""Session: holds the token, gets the next one in time, and never repeats a login that was refused."""

from __future__ import annotations

import threading

from attrs import field, frozen

from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import AuthError, ProviderError
from kubo_sdk.model.secret import Secret
from kubo_sdk_credhub.api.grants import Form, Grant
from kubo_sdk_credhub.api.server import Message, Server
from kubo_sdk_credhub.api.uaa import SCOPES, Token, Uaa
from kubo_sdk_credhub.config import is_https

# A token that is about to end may be refused on its way, or by a server whose clock is ahead.
SPARE_SECONDS = 60.0
SPARE_SHARE = 0.5
# UAA locks a user after five refused logins within an hour; one try in this time stays below that.
REST_SECONDS = 900.0


@frozen(kw_only=True)
class _Held:
    token: Token
    renew_at: float


@frozen(kw_only=True)
class _Refused:
    form: Form = field(repr=False)
    error: str
    until: float


class Session:
    """One login for all threads; while one logs in, the others wait for its token."""

    def __init__(
        self,
        server: Server,
        grant: Grant,
        authorities: str,
        *,
        uaa_url: str | None = None,
        timeout: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        self.actor = grant.actor
        self._server = server
        self._grant = grant
        self._authorities = authorities
        self._uaa_url = uaa_url
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._uaa: Uaa | None = None
        self._held: _Held | None = None
        self._refused: _Refused | None = None

    def token(self, stale: Secret | None = None) -> Secret:
        """A token to show; *stale* is one that CredHub does not take any more.

        AuthError when the login is refused, at once and without asking where it was refused a short time ago.
        """
        with self._lock:
            held = self._held
            if held is not None and held.token.access != stale and self._clock.monotonic() < held.renew_at:
                return held.token.access
            self._held = None
            self._held = self._obtain(None if held is None else held.token)
            return self._held.token.access

    def _obtain(self, old: Token | None) -> _Held:
        uaa, asked = self._find_uaa(), self._clock.monotonic()
        token = self._refresh(uaa, old) or self._login(uaa, asked)
        if token.scopes is not None and not token.scopes.issuperset(SCOPES):
            raise AuthError(
                f"the UAA {uaa.server.url} gives {self.actor} a token without the scopes {' and '.join(SCOPES)}; "
                "add both to its scopes (a user) or authorities (a client)"
            )
        return _Held(token=token, renew_at=asked + token.lasts - min(SPARE_SECONDS, token.lasts * SPARE_SHARE))

    def _refresh(self, uaa: Uaa, old: Token | None) -> Token | None:
        if old is None or old.refresh is None:
            return None
        try:
            return uaa.ask(self._grant.refresh(old.refresh), self.actor)
        except AuthError:
            return None  # ended or revoked; that is no failed login

    def _login(self, uaa: Uaa, now: float) -> Token:
        form, refused = self._grant.read(), self._refused
        if refused is not None and refused.form == form and now < refused.until:
            raise AuthError(refused.error)
        try:
            token = uaa.ask(form, self.actor)
        except AuthError as error:
            self._refused = _Refused(form=form, error=str(error), until=now + REST_SECONDS)
            raise
        self._refused = None
        return token

    def _find_uaa(self) -> Uaa:
        if self._uaa is None:
            url = self._uaa_url or self._ask_credhub()
            self._uaa = Uaa(Server(url, self._authorities, timeout=self._timeout, clock=self._clock))
        return self._uaa

    def _ask_credhub(self) -> str:
        """Where CredHub says its UAA is.  Secrets go there, so only https will do."""
        response = self._server.send(Message(method="GET", path="/info", idempotent=True))
        try:
            said = response.json()
        except ProviderError:
            said = None
        found = said.get("auth-server") if isinstance(said, dict) else None
        if response.status != 200 or not isinstance(found, dict):
            raise ProviderError(f"{self._server.url} is no CredHub: it does not answer /info like one; correct the url")
        url = str(found.get("url") or "")
        if not url:
            raise AuthError(f"CredHub {self._server.url} works without a UAA; log in with certificate_file and key")
        if not is_https(url):
            raise AuthError(
                f"CredHub {self._server.url} names the UAA {url!r}, which is not https; name one in uaa_url"
            )
        return url
