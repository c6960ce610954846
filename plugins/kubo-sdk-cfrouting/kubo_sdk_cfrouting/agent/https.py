"""Https: one question and its answer, over verified TLS; what breaks is a RoutingError."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kubo_sdk_cfrouting.agent.trouble import Kind, RoutingError

PATIENCE_SECONDS = 10.0
LARGEST_ANSWER = 64 << 20


class Trust(NamedTuple):
    """Paths of PEM files.  ``ca``: the authorities of the servers, "" for those of the host.

    ``certificate`` and ``key``: what is shown to a server that wants one, "" for nothing.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """Raises OSError, also for a file that is no PEM."""
        context = ssl.create_default_context(cafile=self.ca or None)
        # An authority without key usage, as CredHub makes them, is good enough.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        """ValueError where it is none."""
        return json.loads(self.body)


class Https:
    """A server, called *name* in sentences (``routing API``).  Every question has a connection of its own.

    Thread-safe.  Raises RoutingError DISTRUST when the files of *trust* cannot be used.
    """

    def __init__(self, name: str, url: str, trust: Trust, patience: float = PATIENCE_SECONDS) -> None:
        parts = urlsplit(url)
        self.name, self.url = name, url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._base = parts.hostname or "", parts.path.rstrip("/")
        self._port = parts.port or (443 if self._secure else 80)
        self._patience = patience
        try:
            self._context = trust.context()
        except (OSError, ValueError) as error:
            raise RoutingError(
                Kind.DISTRUST, f"the certificates for the {name} {self.url} cannot be used: {error}; correct the files"
            ) from None

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """The answer, whatever its status; RoutingError AWAY or DISTRUST when there is none."""
        try:
            with closing(self._connection()) as connection:
                connection.request(method, self._base + path, body=body, headers=dict(headers))
                response = connection.getresponse()
                return Answer(response.status, response.read(LARGEST_ANSWER))
        except ssl.SSLError as error:
            raise self._distrust(error) from None
        except (OSError, HTTPException) as error:
            said = str(error) or type(error).__name__
            raise RoutingError(
                Kind.AWAY, f"the {self.name} {self.url} does not answer: {said}; check the server and the url"
            ) from None

    def _connection(self) -> HTTPConnection:
        if self._secure:
            return HTTPSConnection(self._host, self._port, timeout=self._patience, context=self._context)
        return HTTPConnection(self._host, self._port, timeout=self._patience)

    def _distrust(self, error: ssl.SSLError) -> RoutingError:
        if isinstance(error, ssl.SSLCertVerificationError):
            text = (
                f"its certificate is not accepted: {error.verify_message}; name the authority that signed it in ca_file"
            )
        elif "CERTIFICATE" in (error.reason or ""):
            text = f"it refuses our certificate ({error.reason}); give one that its authorities signed"
        else:
            return RoutingError(
                Kind.AWAY,
                f"the {self.name} {self.url} breaks off TLS: {error.reason or error}; check the url and its port",
            )
        return RoutingError(Kind.DISTRUST, f"the {self.name} {self.url} cannot be trusted, {text}")
