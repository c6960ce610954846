"""What a cloud with a JSON API answers, and what its refusals mean.  The three JSON clouds share this.

libcloud reads errors differently in each driver, and stumbles over some (a Google error without ``errors``, a Nova body
that is no mapping).  Here every refusal becomes libcloud's own BaseHTTPError with the cloud's word for it in front:
``[quotaExceeded] Quota 'CPUS' exceeded``; and `asking` turns that into the errors of `kubo_sdk.errors`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from libcloud.common.base import JsonResponse
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError

from kubo_sdk.errors import AuthError, Conflict, KuboError, NotFound, ProviderError, QuotaExceeded, Unavailable

_TURNED_DOWN_SECONDS = 2.0
_QUOTA = re.compile(
    r"quota|limit ?exceeded|exceeds allowed|over ?limit|exceeding approved|SkuNotAvailable|insufficient", re.IGNORECASE
)
_EXHAUSTED = re.compile(r"AllocationFailed|RESOURCE_POOL_EXHAUSTED|not enough resources|No valid host", re.IGNORECASE)
_TOO_OFTEN = re.compile(
    r"rateLimitExceeded|rate limit|TooManyRequests|too many requests|OperationNotAllowedThrottl|sent too", re.IGNORECASE
)
_FINAL = {401: AuthError, 403: AuthError, 404: NotFound, 409: Conflict, 410: NotFound}


class Answer(JsonResponse):  # type: ignore[misc]  # libcloud has no types
    """One answer: its body as JSON, ``{}`` when it is empty; a refusal is raised as BaseHTTPError."""

    def success(self) -> bool:
        return 200 <= int(self.status) < 300

    def parse_body(self) -> Any:
        if not self.body:
            return {}
        try:
            return json.loads(self.body)
        except ValueError:
            raise MalformedResponseError("no JSON", body=self.body[:200], driver=self.connection.driver) from None

    def parse_error(self) -> str:
        try:
            body = json.loads(self.body)
        except ValueError:
            return str(self.error or f"HTTP {self.status}")
        code, message = reason_in(body)
        return f"[{code}] {message}"


def reason_in(body: Any) -> tuple[str, str]:
    """The cloud's word for what went wrong, and its sentence."""
    named = next(iter(body.items()), ("", body)) if isinstance(body, Mapping) else ("", body)
    word, error = str(named[0]), named[1]
    if not isinstance(error, Mapping):
        return word, str(error)
    first: Any = next(iter(error.get("errors") or ()), {})
    code = first.get("reason") or first.get("code") or error.get("type") or error.get("status") or error.get("code")
    return str(code if isinstance(code, str) else word), str(error.get("message") or first.get("message") or "")


def told(what: str, status: int, message: str, retry_after: float | None = None) -> ProviderError:
    """The error for a refusal with that HTTP *status*.  *what* says who was asked for what: ``GCE: make disk d1``."""
    said = " ".join(message.split())[:400] or f"HTTP {status}"
    if status == 429 or _TOO_OFTEN.search(said):
        return Unavailable(f"{what} was turned down because of too many calls: {said}", retry_after=_wait(retry_after))
    if status == 413 and retry_after:
        return Unavailable(f"{what} was turned down because of too many calls: {said}", retry_after=_wait(retry_after))
    if no_room(said) or (status in (400, 403, 409, 413) and _QUOTA.search(said)):
        return QuotaExceeded(f"{what} found no room: {said}; raise the quota or delete what is not needed")
    if status >= 500:
        return Unavailable(f"{what} failed there with {status}: {said}", retry_after=_wait(retry_after))
    kind = _FINAL.get(status, ProviderError)
    remedy = "; check the credentials and their rights" if kind is AuthError else ""
    return kind(f"{what} was refused with {status}: {said}{remedy}")


def no_room(reason: str) -> bool:
    """Whether a cloud says by *reason* that its own hardware is used up."""
    return bool(_EXHAUSTED.search(reason))


def _wait(retry_after: float | None) -> float:
    return max(retry_after or 0.0, _TURNED_DOWN_SECONDS)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Whatever libcloud and requests raise within becomes an error of `kubo_sdk.errors` that begins with *what*."""
    try:
        yield
    except KuboError:
        raise
    except BaseHTTPError as error:
        code = int(getattr(error.code, "value", error.code))
        raise told(what, code, str(error.message), _retry_after(error)) from None
    except InvalidCredsError as error:
        raise AuthError(f"{what} was refused: {error.value}; check the credentials") from None
    except requests.exceptions.SSLError as error:
        raise AuthError(f"{what}: the certificate is not trusted ({_short(error)}); name its ca_file") from None
    except (requests.exceptions.RequestException, OSError) as error:
        raise Unavailable(f"{what} got no answer: {_short(error)}", retry_after=_TURNED_DOWN_SECONDS) from None
    except MalformedResponseError as error:
        raise Unavailable(
            f"{what} got an answer that is no JSON: {error.body}", retry_after=_TURNED_DOWN_SECONDS
        ) from None
    except LibcloudError as error:
        raise ProviderError(f"{what} failed: {error.value}") from None


def _retry_after(error: BaseHTTPError) -> float | None:
    try:
        return float((error.headers or {}).get("retry-after", ""))
    except ValueError:
        return None


def _short(error: BaseException) -> str:
    """Without the request: its address may hold a token."""
    return type(error).__name__
