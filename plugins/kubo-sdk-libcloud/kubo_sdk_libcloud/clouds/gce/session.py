"""GceSession: requests to one project through libcloud's driver, and the end of the operations they begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from libcloud.common.base import ConnectionUserAndKey
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.drivers import gce as driver_module

from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.answers import Answer, asking, told
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.gce.config import GceConfig
from kubo_sdk_libcloud.clouds.gce.login import Login
from kubo_sdk_libcloud.clouds.transport import connection_class


class GceSession:
    """Speaks to one project.  Thread-safe: a driver per thread, one token for all."""

    def __init__(self, config: GceConfig, key: Secret | None, ca_file: Path | None) -> None:
        self._config = config
        self._where = _where(config.endpoint)
        transport = connection_class(ca_file)
        self._login = Login(key, transport, **self._where)
        self._driver_class = _driver_class(transport, self._login)
        self._drivers = PerThread(self._driver)

    def ask(self, method: str, path: str, what: str, body: Any = None, **params: Any) -> Any:
        """The answer to a request below the project, or at ``https://`` of another one."""
        with asking(f"GCE: {what}"):
            connection = self._drivers.get().connection
            for again in (True, False):
                try:
                    return connection.request(path, params=params, data=body, method=method).object
                except BaseHTTPError as error:
                    if int(error.code) != 401 or not again:
                        raise
                    self._login.forget()
        raise AssertionError("the second try returns or raises")

    def do(self, method: str, path: str, what: str, body: Any = None, **params: Any) -> None:
        """A request that begins an operation, and the one that GCE answers when it ends, or after two minutes.

        Raises what the operation failed with: a lack of room is told only there.
        """
        begun = self.ask(method, path, what, body, **params)
        scope = f"/zones/{begun['zone'].rsplit('/', 1)[-1]}" if begun.get("zone") else "/global"
        ended = self.ask("POST", f"{scope}/operations/{begun['name']}/wait", what)
        failed = next(iter((ended.get("error") or {}).get("errors") or ()), None)
        if failed:
            status = int(ended.get("httpErrorStatusCode") or 400)
            raise told(f"GCE: {what}", status, f"[{failed.get('code')}] {failed.get('message')}")

    def pages(self, path: str, what: str, wanted: str) -> list[Any]:
        """All items of a list with the filter *wanted*; of all zones where *path* is aggregated."""
        found: list[Any] = []
        params = {"filter": wanted, "maxResults": 500}
        while True:
            page = self.ask("GET", path, what, **params)
            items = page.get("items") or ()
            if isinstance(items, dict):
                kind = path.rsplit("/", 1)[-1]
                items = [item for scope in items.values() for item in scope.get(kind) or ()]
            found.extend(items)
            if not page.get("nextPageToken"):
                return found
            params["pageToken"] = page["nextPageToken"]

    def find(self, path: str, what: str) -> Any:
        """What GET answers, or None when it is not there."""
        try:
            return self.ask("GET", path, what)
        except NotFound:
            return None

    def _driver(self) -> Any:
        # The user and key are the login's; libcloud insists on having some.
        return self._driver_class("-", "-", project=self._config.project, auth_type="SA", **self._where)


def _where(endpoint: str) -> dict[str, Any]:
    if not endpoint:
        return {}
    url = urlsplit(endpoint)
    return {"host": url.hostname, "port": url.port, "secure": url.scheme == "https"}


def _driver_class(transport: type[Any], login: Login) -> type[Any]:
    """libcloud's driver with a connection that keeps nothing on disk and reads answers as we do."""

    class Connection(driver_module.GCEConnection):  # type: ignore[misc]  # libcloud has no types
        conn_class = transport
        responseCls = Answer  # noqa: N815

        def __init__(
            self, user_id: str, key: str, secure: bool, *place: Any, project: str = "", **options: Any
        ) -> None:
            for kept in ("auth_type", "credential_file", "scopes"):
                options.pop(kept, None)
            # libcloud hands over host and port by place, where its own connection takes them for something else.
            ConnectionUserAndKey.__init__(self, user_id, key, secure, *place, **options)
            self.request_path = f"/compute/v1/projects/{project}"
            self.gce_params = None
            self.oauth2_credential = login

    class Driver(driver_module.GCENodeDriver):  # type: ignore[misc]  # libcloud has no types
        connectionCls = Connection  # noqa: N815

    return Driver
