"""AzureSession: requests to one subscription through libcloud's driver.

Worked around here: libcloud's connection takes host and port from a table whatever it is given, and its driver encodes
``ex_customdata`` to bytes, which no JSON can hold.  The driver's connection is kept; what it sends is written by us.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from libcloud.common import azure_arm
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.azure_arm import AzureNodeDriver

from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.answers import Answer, asking
from kubo_sdk_libcloud.clouds.azure.config import AzureConfig
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.transport import connection_class

COMPUTE = "2023-03-01"
DISK = "2023-04-02"
NETWORK = "2023-04-01"


class AzureSession:
    """Speaks to one subscription.  Thread-safe: a driver, with a token, per thread."""

    def __init__(self, config: AzureConfig, secret: Secret, ca_file: Path | None) -> None:
        self._config = config
        self._secret = secret
        self._driver_class = _driver_class(config, connection_class(ca_file))
        self._drivers = PerThread(self._driver)

    def path(self, kind: str, name: str = "", group: str = "") -> str:
        """The path of a resource like ``Microsoft.Compute/disks`` in the config's resource group, or *group*."""
        config = self._config
        start = f"/subscriptions/{config.subscription}/resourceGroups/{group or config.resource_group}"
        return f"{start}/providers/{kind}/{name}".rstrip("/")

    def ask(self, method: str, path: str, version: str, what: str, body: Any = None, **params: Any) -> Any:
        """The answer to one request of the API's *version*."""
        with asking(f"Azure: {what}"):
            connection = self._drivers.get().connection
            asked = {"api-version": version, **params}
            return connection.request(path, params=asked, data=body, method=method).object

    def pages(self, path: str, version: str, what: str) -> list[Any]:
        """All items of a list."""
        found: list[Any] = []
        params: dict[str, str] = {}
        while True:
            page = self.ask("GET", path, version, what, **params)
            found.extend(page.get("value") or ())
            if not page.get("nextLink"):
                return found
            following = urlsplit(page["nextLink"])
            path = following.path
            params = {name: value for name, value in parse_qsl(following.query) if name != "api-version"}

    def find(self, path: str, version: str, what: str, **params: Any) -> Any:
        """What GET answers, or None when it is not there."""
        try:
            return self.ask("GET", path, version, what, **params)
        except NotFound:
            return None

    def remove(self, path: str, version: str, what: str) -> None:
        """DELETE; what is absent is deleted."""
        try:
            self.ask("DELETE", path, version, what)
        except NotFound:
            return

    def _driver(self) -> Any:
        config = self._config
        return self._driver_class(
            config.tenant,
            config.subscription,
            config.client,
            self._secret.reveal(),
            region=config.location,
            cloud_environment=str(config.environment),
        )


def _driver_class(config: AzureConfig, transport: type[Any]) -> type[Any]:
    class Connection(azure_arm.AzureResourceManagementConnection):  # type: ignore[misc]  # libcloud has no types
        conn_class = transport
        responseCls = Answer  # noqa: N815

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            known: str = vars(self)["host"]
            self.host, self.port, self.secure = _place(config.endpoint, known)
            self.login = _place(config.login_endpoint, self.login_host)

        def get_token_from_credentials(self) -> None:
            host, port, secure = self.login
            connection = self.conn_class(host, port, secure=secure, timeout=self.timeout)
            wish = {
                "grant_type": "client_credentials",
                "client_id": self.user_id,
                "client_secret": self.key,
                "resource": self.login_resource,
            }
            kind = {"Content-type": "application/x-www-form-urlencoded"}
            connection.request("POST", f"/{self.tenant_id}/oauth2/token", urlencode(wish), kind)
            try:
                told = Answer(connection.getresponse(), self).object
            except BaseHTTPError as error:
                if int(error.code) >= 500 or int(error.code) == 429:
                    raise
                raise InvalidCredsError(f"no token for the client {self.user_id}: {error.message}") from None
            self.access_token, self.expires_on = told["access_token"], told["expires_on"]

    class Driver(AzureNodeDriver):  # type: ignore[misc]  # libcloud has no types
        connectionCls = Connection  # noqa: N815

    return Driver


def _place(endpoint: str, host: str) -> tuple[str, int, bool]:
    if not endpoint:
        return host, 443, True
    url = urlsplit(endpoint)
    secure = url.scheme != "http"
    return url.hostname or host, url.port or (443 if secure else 80), secure
