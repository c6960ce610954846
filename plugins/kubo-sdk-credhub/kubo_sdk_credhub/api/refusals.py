"""Says in one sentence what CredHub's status means, with the error it stands for.  Pure."""

from __future__ import annotations

from attrs import frozen

from kubo_sdk.clients.response import Response
from kubo_sdk.errors import AuthError, Conflict, NotFound, ProviderError, Unavailable

LARGEST = "CredHub stores about 64 KB"
SCOPES = "credhub.read and credhub.write"
EXPIRED = "access_token_expired"


@frozen(kw_only=True)
class Asked:
    """What was asked, for sentences: *what* is ``set /director/cluster/ca``, *name* the credential's or a path."""

    url: str
    actor: str
    what: str
    name: str = ""
    changes: bool = False


def error_word(response: Response) -> str:
    """The ``error`` of an answer, or nothing."""
    try:
        said = response.json()
    except ProviderError:
        return ""
    found = said.get("error") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def refusal(response: Response, asked: Asked) -> ProviderError:
    """The error for an answer that is no success.  The status decides; the server's words only explain."""
    known = {401: _unauthenticated, 403: _forbidden, 404: _not_found, 409: _conflict, 413: _too_large}
    if response.status in known:
        return known[response.status](response, asked)
    if response.status == 503 and asked.changes:
        return _read_only(response, asked)
    said, where = response.explanation(), f"CredHub {asked.url}"
    if response.status == 429 or response.status >= 500:
        return Unavailable(f"{where} cannot {asked.what} now: HTTP {response.status}, {said}; run the same again")
    return ProviderError(f"{where} refuses to {asked.what}: {said}")


def _forbidden(response: Response, asked: Asked) -> ProviderError:
    right = f"give it the permission on {asked.name or 'that path'}, and the scopes {SCOPES}"
    return AuthError(f"CredHub {asked.url} does not let {asked.actor} {asked.what}: {response.explanation()}; {right}")


def _not_found(_response: Response, asked: Asked) -> ProviderError:
    return NotFound(
        f"there is no {asked.name or asked.what} in CredHub {asked.url}, or {asked.actor} may not see it; "
        "check the name and its permissions"
    )


def _conflict(response: Response, asked: Asked) -> ProviderError:
    return Conflict(f"CredHub {asked.url} cannot {asked.what}: {response.explanation()}")


def _too_large(_response: Response, asked: Asked) -> ProviderError:
    return ProviderError(
        f"CredHub {asked.url} cannot {asked.what}: the value is too large ({LARGEST}); make it smaller"
    )


def _read_only(response: Response, asked: Asked) -> ProviderError:
    """Not worth a retry: it lasts until somebody ends it."""
    return Unavailable(
        f"CredHub {asked.url} cannot {asked.what}: it is in read-only mode or in maintenance "
        f"({response.explanation()}); end that, then run the same again",
        retry_after=None,
    )


def _unauthenticated(response: Response, asked: Asked) -> ProviderError:
    where, said = f"CredHub {asked.url}", response.explanation()
    if error_word(response) == EXPIRED:
        return AuthError(
            f"{where} calls a token expired that its UAA has just given {asked.actor}; "
            "set the clocks of the two servers right"
        )
    return AuthError(
        f"{where} does not accept {asked.actor}: {said}; check that it trusts this UAA or this client certificate"
    )
