"""ApiClient: one server's HTTP API, and its errors in the SDK's words."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import field, frozen

from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk_powerdns.busy import Failing

TIMEOUT = 30.0
LARGEST_ANSWER = 256 * 2**20  # bytes; a zone of a million records
LONGEST_REASON = 300
_BASE = "/api/v1"
# An unknown path of some releases (4.9.0 to 4.9.11, 5.0.0, 5.0.1) is a method that is not allowed.
_NOT_FOUND = (404, 405)
# What SQLite, PostgreSQL and MySQL say when there is no room for a change.
_FULL = ("disk is full", "no space left", "disk full", "table is full")


@frozen(kw_only=True)
class ApiClient:
    """``key_source`` says in messages where the key came from.  Every call has its own connection."""

    url: str
    server_id: str
    key: Secret
    key_source: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the PowerDNS API at {self.url}"

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """The JSON of the answer, or None where it has none; *path* starts below the server: ``/zones``.

        NotFound (404), Conflict (409), AuthError, QuotaExceeded, Unavailable, or ProviderError with the server's words.
        """
        status, body = self._exchange(method, path, content)
        if 200 <= status < 300:
            return self._json(body) if body else None
        raise self._error(status, body)

    def _exchange(self, method: str, path: str, content: Any) -> tuple[int, bytes]:
        headers = {"X-API-Key": self.key.reveal(), "Accept": "application/json", "Content-Type": "application/json"}
        connection = self._connection()
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, f"{self._root()}{path}", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(LARGEST_ANSWER)
        except ssl.SSLCertVerificationError as error:
            reason = f"{self} shows a certificate that is not trusted ({error.verify_message})"
            raise AuthError(f"{reason}; set ca_file to the CA that signed it, and url to a name it holds") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unavailable(
                f"{self} does not answer ({one_line(reason)}); see that it runs and is reachable"
            ) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if self.tls is not None:
            return http.client.HTTPSConnection(host, parts.port or 443, timeout=TIMEOUT, context=self.tls)
        return http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT)

    def _root(self) -> str:
        path = urlsplit(self.url).path.rstrip("/").removesuffix(_BASE)
        return f"{path}{_BASE}/servers/{quote(self.server_id, safe='')}"

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError:
            raise ProviderError(f"{self} answers with what is no JSON; see that url leads to PowerDNS") from None

    def _error(self, status: int, body: bytes) -> ProviderError:
        reason = _reason(body)
        if status in {401, 403}:
            return AuthError(f"{self} turns down the key from {self.key_source}; put there what its api-key is")
        if status in _NOT_FOUND:
            return NotFound(f"{self} knows no such thing ({reason})")
        if status == http.client.CONFLICT:
            return Conflict(f"{self} has that already ({reason})")
        if any(words in reason.lower() for words in _FULL):
            return QuotaExceeded(f"{self} has no room for a change ({reason}); make room on the disk of its database")
        if status >= http.client.INTERNAL_SERVER_ERROR or status == http.client.TOO_MANY_REQUESTS:
            return Failing(
                f"{self} fails with {status} ({reason}); see its log, and that its database can be written and "
                "its disk is not full"
            )
        return ProviderError(f"{self} does not take that: {status} ({reason}); see its log")


def one_line(text: str) -> str:
    """*text*, which a server chose, as a part of a sentence."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def _reason(body: bytes) -> str:
    try:
        return one_line(str(json.loads(body)["error"]))
    except (ValueError, KeyError, TypeError):
        return one_line(body.decode(errors="replace")) or "no reason given"
