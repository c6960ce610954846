"""Login: the access token of a service account, for all threads.

libcloud keeps tokens in a file of the user's home and takes the authorities of its whole process; here the token stays
in memory and travels as everything else of the config does.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from libcloud.common import google
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError

from kubo_sdk.errors import ConfigError
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.answers import Answer

_SCOPE = "https://www.googleapis.com/auth/compute"
_EARLY_SECONDS = 120.0


class Login:
    """``access_token``: one that is good for a while yet.  Without a key the machine's own account is asked for it."""

    def __init__(self, key: Secret | None, transport: type[Any], **where: Any) -> None:
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0
        self._make = _from_key(key, transport, where) if key else _from_host

    @property
    def access_token(self) -> str:
        """What libcloud's connection puts into the header."""
        with self._lock:
            if time.monotonic() >= self._until:
                told = self._make()
                self._token = str(told["access_token"])
                self._until = time.monotonic() + float(told["expires_in"]) - _EARLY_SECONDS
            return self._token

    def forget(self) -> None:
        """The token was turned down before its time."""
        with self._lock:
            self._until = 0.0


def _from_key(key: Secret, transport: type[Any], where: dict[str, Any]) -> Any:
    account = account_of(key)

    class Connection(google.GoogleServiceAcctAuthConnection):  # type: ignore[misc]  # libcloud has no types
        conn_class = transport
        responseCls = Answer  # noqa: N815

    def make() -> Any:
        try:
            return Connection(account["client_email"], dict(account), [_SCOPE], **where).get_new_token()
        except BaseHTTPError as error:
            if int(error.code) >= 500:
                raise
            raise InvalidCredsError(f"Google gives no token for {account['client_email']}: {error.message}") from None

    return make


def _from_host() -> Any:
    try:
        return google.GoogleGCEServiceAcctAuthConnection("", [_SCOPE]).get_new_token()
    except ValueError as error:
        raise InvalidCredsError(f"this host has no service account of its own ({error})") from None


def account_of(key: Secret) -> dict[str, str]:
    """The service account that *key* is of.  ConfigError when it is no such key."""
    try:
        read = json.loads(key.reveal())
        return {name: str(read[name]) for name in ("client_email", "private_key")}
    except (ValueError, KeyError, TypeError):
        problem = "cpi.gce.credentials: this is not the JSON key of a service account; `gcloud iam service-accounts"
        raise ConfigError([f"{problem} keys create` makes one"]) from None
