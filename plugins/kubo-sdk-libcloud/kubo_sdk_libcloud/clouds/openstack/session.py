"""OpenStackSession: requests to Nova, Neutron, Cinder and Glance through libcloud's driver."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.openstack_identity import OpenStackAuthenticationCache
from libcloud.common.types import LibcloudError
from libcloud.compute.drivers import openstack as driver_module

from kubo_sdk.errors import NotFound
from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.answers import Answer, asking
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.openstack.config import OpenStackConfig
from kubo_sdk_libcloud.clouds.transport import connection_class

# What a service is called in catalogues: libcloud asks for one word, and for the name "nova" of the service as well.
_WORDS = {"volumev3": ("volumev3", "block-storage", "block-store"), "network": ("network", "networking")}
# Tells of each attached volume whether it goes with its server; every Nova since 2015 knows it.
_NOVA = "compute 2.3"


class Tokens(OpenStackAuthenticationCache):  # type: ignore[misc]  # libcloud has no types
    """One login for all threads and services of a session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Any, context: Any) -> None:
        with self._lock:
            self._kept[key] = context

    def clear(self, key: Any) -> None:
        with self._lock:
            self._kept.pop(key, None)


class OpenStackSession:
    """Speaks to one project.  Thread-safe: a driver per thread, one token for all."""

    def __init__(self, config: OpenStackConfig, secret: Secret, ca_file: Path | None) -> None:
        self._config = config
        self._secret = secret
        self._tokens = Tokens()
        self._driver_class = _driver_class(connection_class(ca_file))
        self._drivers = PerThread(self._driver)

    def ask(self, service: str, method: str, path: str, what: str, body: Any = None, **params: Any) -> Any:
        """The answer of *service* (compute, network, volume, image).  *what* is told in errors: ``make server x``."""
        return self._asked(service, what, lambda connection: _answered(connection, method, path, body, params))

    def pages(self, service: str, path: str, items: str, what: str, **params: Any) -> list[Any]:
        """All *items* of a list that comes in pages."""
        request = driver_module.OpenStack_2_NodeDriver._paginated_request  # noqa: SLF001
        found = self._asked(service, what, lambda connection: request(path, items, connection, params=dict(params)))
        return list(found[items])

    def _asked(self, service: str, what: str, ask: Callable[[Any], Any]) -> Any:
        """A token that was withdrawn before its time is forgotten by libcloud, so the second try logs in."""
        with asking(f"OpenStack: {what}"):
            connection = self._connection(service)
            try:
                return ask(connection)
            except BaseHTTPError as error:
                if int(error.code) != 401:
                    raise
            return ask(connection)

    def find(self, service: str, path: str, what: str) -> Any:
        """What GET answers, or None when it is not there."""
        try:
            return self.ask(service, "GET", path, what)
        except NotFound:
            return None

    def remove(self, service: str, path: str, what: str) -> None:
        """DELETE; what is absent is deleted."""
        try:
            self.ask(service, "DELETE", path, what)
        except NotFound:
            return

    def _connection(self, service: str) -> Any:
        driver = self._drivers.get()
        if service == "volume":
            return driver.volumev3_connection
        return driver.connection if service == "compute" else getattr(driver, f"{service}_connection")

    def _driver(self) -> Any:
        config = self._config
        by_user = bool(config.username)
        url = config.auth_url.rstrip("/").removesuffix("/v3")
        return self._driver_class(
            config.username or config.application_credential,
            self._secret.reveal(),
            ex_force_auth_url=url,
            ex_force_auth_version="3.x_password" if by_user else "3.x_appcred",
            ex_tenant_name=config.project or None,
            ex_domain_name=config.user_domain,
            ex_tenant_domain_id=config.project_domain,
            ex_force_service_region=config.region or None,
            ex_force_microversion=_NOVA,
            ex_auth_cache=self._tokens,
        )


def _answered(connection: Any, method: str, path: str, body: Any, params: dict[str, Any]) -> Any:
    return connection.request(path, params=params, data=body or "", method=method).object


class _Finding:
    """The endpoint of a service by its kind and region alone, whatever the cloud calls it."""

    service_type: str
    service_catalog: Any
    _ex_force_service_region: str | None

    def get_endpoint(self) -> str:
        region = self._ex_force_service_region
        words = _WORDS.get(self.service_type, (self.service_type,))
        found = next(filter(None, (self._addresses(word, region) for word in words)), set())
        if not found:
            raise LibcloudError(f"the catalogue has no {self.service_type} service in region {region or 'any'}")
        if len(found) > 1:
            raise LibcloudError(f"the catalogue has {self.service_type} services in several regions; name the region")
        return str(found.pop())

    def _addresses(self, word: str, region: str | None) -> set[str]:
        return {
            endpoint.url
            for endpoint in self.service_catalog.get_endpoints(service_type=word)
            if endpoint.endpoint_type == "external" and endpoint.region == (region or endpoint.region)
        }


def _driver_class(transport: type[Any]) -> type[Any]:
    """libcloud's driver, with connections that read answers as we do and trust whom the config trusts."""

    def reading(base: type[Any]) -> type[Any]:
        return type(base.__name__, (_Finding, base), {"conn_class": transport, "responseCls": Answer})

    class Driver(driver_module.OpenStack_2_NodeDriver):  # type: ignore[misc]  # libcloud has no types
        connectionCls = reading(driver_module.OpenStack_2_Connection)  # noqa: N815
        image_connectionCls = reading(driver_module.OpenStack_2_ImageConnection)  # noqa: N815
        network_connectionCls = reading(driver_module.OpenStack_2_NetworkConnection)  # noqa: N815
        volumev3_connectionCls = reading(driver_module.OpenStack_2_VolumeV3Connection)  # noqa: N815

    return Driver
