"""S3Client: the few requests backups need of a bucket, over plain HTTPS."""

from __future__ import annotations

import hashlib
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from kubo_sdk.backup.sigv4 import Account, Asked, signed_headers
from kubo_sdk.errors import AuthError, NotFound, ProviderError, QuotaExceeded, Unavailable

ATTEMPTS = 3
SECONDS = 60.0
PIECE_BYTES = 1024 * 1024
REFUSED = frozenset({401, 403})
BUSY = frozenset({429, 500, 502, 503, 504})
EMPTY = hashlib.sha256(b"").hexdigest()


@frozen(kw_only=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def xml(self) -> ET.Element:
        """The body as XML, namespaces taken away."""
        root = ET.fromstring(self.body)  # noqa: S314 (of the server we gave our key's signature to)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root


@frozen(kw_only=True)
class S3Client:
    """One bucket.  *endpoint* is ``https://host[:port]``, and buckets are named in the path, as every server allows.

    Raises AuthError, NotFound, QuotaExceeded, and Unavailable after three attempts.
    """

    endpoint: str
    region: str
    bucket: str
    account: Account
    now: Callable[[], datetime]
    ca_file: Path | None = None

    def ask(
        self,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its whole answer; asked again where that may help.  Every one we make may be repeated."""
        trouble: ProviderError | None = None
        for _ in range(ATTEMPTS):
            try:
                return self._ask(method, key, query or {}, body, headers or {})
            except Unavailable as error:
                trouble = error
        raise trouble or Unavailable(self._told("does not answer"))

    def stream(self, key: str) -> Iterator[bytes]:
        """An object in pieces.  Unavailable when it ends before its length."""
        connection, answer = self._begin("GET", key, {}, b"", {})
        try:
            if answer.status != 200:
                self._check(answer.status, answer.read(), key)
            left = int(answer.headers.get("Content-Length", 0))
            while left:
                piece = answer.read(min(PIECE_BYTES, left))
                if not piece:
                    raise Unavailable(self._told(f"broke off its answer about {key}"))
                left -= len(piece)
                yield piece
        except (OSError, HTTPException) as error:
            raise Unavailable(self._told(f"broke off its answer about {key}: {error}")) from None
        finally:
            connection.close()

    def _ask(self, method: str, key: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Answer:
        connection, answer = self._begin(method, key, query, body, headers)
        try:
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise Unavailable(self._told(f"broke off its answer: {error}")) from None
        finally:
            connection.close()
        self._check(answer.status, content, key)
        return Answer(status=answer.status, headers=dict(answer.headers), body=content)

    def _begin(
        self, method: str, key: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> tuple[HTTPConnection, HTTPResponse]:
        parts = urlsplit(self.endpoint)
        asked = Asked(
            method=method,
            path=f"/{self.bucket}/{key}" if key else f"/{self.bucket}",
            query=query,
            headers={"Host": parts.netloc, **headers},
            digest=hashlib.sha256(body).hexdigest() if body else EMPTY,
        )
        sent = signed_headers(asked, self.account, self.region, self.now())
        connection = self._connection()
        try:
            connection.request(method, asked.target, body, sent)
            return connection, connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise AuthError(
                self._told(f"shows a certificate that is not to be trusted: {error.verify_message}")
            ) from None
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unavailable(self._told(f"cannot be reached: {error}")) from None

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.endpoint)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return HTTPConnection(host, parts.port, timeout=SECONDS)
        context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)

    def _check(self, status: int, body: bytes, key: str) -> None:
        if status < 300 and b"<Error>" not in body[:200]:
            return
        code, message = _error(body)
        told = self._told(f"said {status} {code} about {key or 'the bucket'}: {message}".rstrip(": "))
        if status in REFUSED:
            raise AuthError(f"{told}; check the access key and its rights")
        if status == 404:
            raise NotFound(told)
        if code in ("QuotaExceeded", "EntityTooLarge", "XMinioStorageFull", "InsufficientStorage") or status == 507:
            raise QuotaExceeded(f"{told}; make room in the bucket")
        raise Unavailable(told) if status in BUSY or status < 300 else ProviderError(told)

    def _told(self, what: str) -> str:
        return f"the bucket {self.bucket} at {self.endpoint} {what}"


def _error(body: bytes) -> tuple[str, str]:
    try:
        root = Answer(status=0, headers={}, body=body).xml()
    except ET.ParseError:
        return "", ""
    return root.findtext("Code") or "", root.findtext("Message") or ""
