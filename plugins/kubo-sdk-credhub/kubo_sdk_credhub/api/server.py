"""Server: one https URL that is asked, with patience where asking again can do no harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from attrs import field, frozen

from kubo_sdk.clients.connection import NotReached
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.response import Response
from kubo_sdk.engine.clock import Clock, SystemClock
from kubo_sdk.errors import AuthError, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret

HTTPS_PORT = 443
# Waits before asking again, in seconds: three seconds in all, as long as a server behind a proxy takes to be replaced.
DELAYS = (0.2, 0.4, 0.8, 1.6)
# A proxy in front says so; 503 is CredHub's own word for its read-only mode, which does not pass by itself.
BUSY = frozenset({429, 502, 504})


@frozen(kw_only=True)
class Identity:
    """A client certificate, PEM."""

    certificate: str
    key: Secret


@frozen(kw_only=True)
class Message:
    """One request.  *idempotent*: a second one after a lost answer changes nothing more."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    idempotent: bool = False


class Server:
    """Raises AuthError when *authorities* (PEM) or *identity* cannot be used.  Thread-safe."""

    def __init__(
        self,
        url: str,
        authorities: str,
        *,
        identity: Identity | None = None,
        timeout: float = 30.0,
        default_port: int = HTTPS_PORT,
        clock: Clock | None = None,
    ) -> None:
        parts = urlsplit(url)
        address = (parts.hostname or "", parts.port or default_port)
        self.url = url.rstrip("/")
        self.identity = identity
        self._base = parts.path.rstrip("/")
        self._clock = clock or SystemClock()
        shown = None if identity is None else identity.certificate
        key = None if identity is None else identity.key
        self._client = HttpsClient([address], authorities, shown, key, timeout)

    def send(self, message: Message) -> Response:
        """The answer, whatever its status.

        What did not reach the server is sent again, and so is what got lost when it is idempotent.  Unavailable when
        there is no answer in the end, AuthError when one side does not trust the other's certificate.
        """
        for delay in DELAYS:
            try:
                response = self._send(message)
            except Unavailable as error:
                if not (message.idempotent or isinstance(error, NotReached)):
                    raise self._lost(error) from error
            else:
                if response.status not in BUSY or not message.idempotent:
                    return response
            self._clock.sleep(delay)
        try:
            return self._send(message)
        except Unavailable as error:
            raise self._lost(error) from error

    def _send(self, message: Message) -> Response:
        path = self._base + message.path
        try:
            return self._client.request(
                message.method, path, message.body, headers=message.headers, idempotent=message.idempotent
            )
        except AuthError as error:
            raise AuthError(f"{error}; {' '.join(_advice(str(error)))}") from error
        except Unavailable:
            raise
        except ProviderError as error:
            raise ProviderError(f"{error}; check the url {self.url}") from error

    def _lost(self, error: Unavailable) -> Unavailable:
        return Unavailable(f"{error}; check the server and the url {self.url}, then run the same again")


def _advice(trouble: str) -> Iterator[str]:
    if "refuses our TLS certificate" in trouble:
        yield "give a client certificate that CredHub's authorities signed, and that has not expired"
    elif "expired" in trouble or "not yet valid" in trouble:
        yield "renew it, or set the clocks of that server and of this host right"
    elif "mismatch" in trouble or "not valid for" in trouble:
        yield "write the url with a name that is in that certificate"
    else:
        yield "name the CA that signed it in ca_file; it must cover CredHub and its UAA"
