"""Getting files over HTTP: proxies from the environment, bounded waits, and errors that say what to do."""

from __future__ import annotations

import hashlib
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from kubo_sdk.errors import NotFound, ProviderError, Unavailable

TIMEOUT = 30.0
CHUNK = 1 << 18
TEXT_LIMIT = 1 << 20
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


def get_text(url: str, *, timeout: float = TIMEOUT) -> str:
    """A small document.  *timeout*: seconds without an answer.  Raises NotFound and Unavailable."""
    with _open(url, timeout) as response:
        return response.read(TEXT_LIMIT).decode(errors="replace")


def get_file(url: str, target: Path, *, sha256: str, stop: threading.Event) -> None:
    """Get a file and make sure that it is the one with this checksum.  Raises NotFound, Unavailable, ProviderError.

    Setting *stop* from another thread ends it with Unavailable.
    """
    digest, length = hashlib.sha256(), 0
    with _open(url, TIMEOUT) as response, target.open("wb") as file:
        while chunk := response.read(CHUNK):
            digest.update(chunk)
            length += len(chunk)
            file.write(chunk)
            if stop.is_set():
                raise Unavailable(f"the download of {url} was stopped", retry_after=None)
        announced = response.headers.get("Content-Length")
    if announced is not None and int(announced) != length:
        raise Unavailable(f"{url} broke off after {length} of {announced} bytes; try again")
    if digest.hexdigest() != sha256:
        raise ProviderError(
            f"{url} does not match its checksum: it is {digest.hexdigest()}, published is {sha256}; "
            "do not use it, try again later or another download location"
        )


def answers(url: str, *, within: float) -> None:
    """Return when the document is there, raise NotFound or Unavailable otherwise, within that many seconds.

    A name that does not resolve can take longer than any timeout of a socket, so a thread that nobody waits for asks.
    """
    outcome: list[ProviderError | None] = []

    def ask() -> None:
        try:
            get_text(url, timeout=within)
        except ProviderError as error:
            outcome.append(error)
        else:
            outcome.append(None)

    asking = threading.Thread(target=ask, daemon=True, name="ask-download-site")
    asking.start()
    asking.join(within)
    if not outcome:
        raise Unavailable(f"{url} does not answer within {within:g} s", retry_after=None)
    if outcome[0] is not None:
        raise outcome[0]


def get_checksum(url: str, name: str) -> str:
    """The SHA-256 that *url* publishes for *name*.  Raises NotFound, Unavailable, and ProviderError for other text."""
    checksum = checksum_in(get_text(url), name)
    if checksum is None:
        raise ProviderError(f"{url} holds no SHA-256 of {name}; check the download location")
    return checksum


def checksum_in(listing: str, name: str) -> str | None:
    """The SHA-256 of *name* in a ``SHA256SUMS`` listing, or the only one of a file ``NAME.sha256``; pure."""
    lines = [line.split() for line in listing.splitlines() if line.strip()]
    bare = [words[0] for words in lines if len(words) == 1 and len(lines) == 1]
    named = [words[0] for words in lines if len(words) == 2 and words[1].lstrip("*./") == name]
    return next((digest.lower() for digest in bare + named if HEX_DIGEST.fullmatch(digest.lower())), None)


@contextmanager
def _open(url: str, timeout: float) -> Iterator[HTTPResponse]:
    opener = urllib.request.build_opener()  # not the shared one, which keeps the proxies of its first use
    try:
        with opener.open(url, timeout=timeout) as response:
            yield response
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise NotFound(f"{url} is not there") from error
        raise Unavailable(f"{url} answers {error.code} {error.reason}", retry_after=None) from error
    except urllib.error.URLError as error:
        raise Unavailable(f"{url} cannot be reached: {error.reason}", retry_after=None) from error
    except (HTTPException, OSError) as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(f"{url} cannot be reached: {reason}", retry_after=None) from error
