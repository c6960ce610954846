"""One connection to one endpoint: opened, spoken over, and its troubles told as errors that name the endpoint."""

from __future__ import annotations

import select
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse, HTTPSConnection

from attrs import field, frozen

from kubo_sdk.clients.response import Response
from kubo_sdk.errors import AuthError, ProviderError, Unavailable

Address = tuple[str, int]


class NotReached(Unavailable):
    """No byte of the request left this host, so any request may go elsewhere."""


@frozen(kw_only=True)
class Request:
    """One request.  The body is kept out of ``repr``: it may hold a secret."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)


def text(address: Address) -> str:
    """The endpoint as people write it: ``10.0.0.1:2379``."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Tell what the standard library raises as one of our errors."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise AuthError(f"the certificate of {text(address)} is not to be trusted: {error.verify_message}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise Unavailable(f"{text(address)} closed the connection") from error
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):
            raise AuthError(f"{text(address)} refuses our TLS certificate: {error.reason}") from error
        raise ProviderError(f"{text(address)} does not speak TLS as expected: {error.reason}") from error
    except TimeoutError as error:
        raise Unavailable(f"{text(address)} did not answer in time") from error
    except OSError as error:
        raise Unavailable(f"{text(address)} cannot be reached: {error.strerror or error}") from error
    except HTTPException as error:
        raise Unavailable(f"{text(address)} broke off its answer ({type(error).__name__})") from error


def connect(address: Address, context: ssl.SSLContext, timeout: float) -> HTTPSConnection:
    """A new connection, its handshake done.  Raises NotReached, AuthError or ProviderError."""
    connection = HTTPSConnection(*address, timeout=timeout, context=context)
    try:
        with translated(address):
            connection.connect()
    except Unavailable as error:
        raise NotReached(str(error)) from error
    return connection


def is_open(connection: HTTPSConnection) -> bool:
    """Whether an idle connection can be used again: one with something to read was closed by the server."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def ask(connection: HTTPSConnection, address: Address, request: Request) -> HTTPResponse:
    """Send *request* and return the answer with its body still to be read."""
    with translated(address):
        connection.request(request.method, request.path, request.body, dict(request.headers))
        return connection.getresponse()


def read(answer: HTTPResponse, address: Address) -> Response:
    """The rest of *answer* as a value."""
    with translated(address):
        body = answer.read()
    retry_after = answer.headers.get("Retry-After", "")
    seconds = float(retry_after) if retry_after.isdigit() else None
    return Response(status=answer.status, body=body, endpoint=text(address), retry_after=seconds)
