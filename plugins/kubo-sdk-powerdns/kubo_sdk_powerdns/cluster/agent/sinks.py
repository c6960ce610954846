"""Sinks: what the followers bring goes into the catalog, and what that changes is told on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubo_sdk_powerdns.cluster.agent.catalog import Catalog
from kubo_sdk_powerdns.cluster.agent.objects import Service, Slice, service_of, slice_of
from kubo_sdk_powerdns.cluster.agent.trouble import say

OnChange = Callable[[set[str]], None]
OnList = Callable[[], None]

STRANGE = (ValueError, KeyError, TypeError, AttributeError)


class _Sink:
    """*on_change* gets the names whose answers are different; *on_list* hears that everything was listed."""

    def __init__(self, catalog: Catalog, on_change: OnChange, on_list: OnList) -> None:
        self._catalog = catalog
        self._on_change = on_change
        self._on_list = on_list

    def _tell(self, changed: set[str]) -> None:
        if changed:
            self._on_change(changed)


class ServiceSink(_Sink):
    def read(self, item: dict[str, Any]) -> Service | None:
        try:
            return service_of(item)
        except STRANGE as error:
            say(f"a Service is left out: {error!r}")
            return None

    def replace(self, found: list[Service]) -> None:
        with self._catalog.lock:
            changed = self._catalog.replace_services(found)
        self._on_list()
        self._tell(changed)

    def put(self, found: Service) -> None:
        with self._catalog.lock:
            changed = self._catalog.put_service(found)
        self._tell(changed)

    def drop(self, key: str) -> None:
        with self._catalog.lock:
            changed = self._catalog.drop_service(key)
        self._tell(changed)


class SliceSink(_Sink):
    def read(self, item: dict[str, Any]) -> Slice | None:
        try:
            return slice_of(item)
        except STRANGE as error:
            say(f"an EndpointSlice is left out: {error!r}")
            return None

    def replace(self, found: list[Slice]) -> None:
        with self._catalog.lock:
            changed = self._catalog.replace_slices(found)
        self._on_list()
        self._tell(changed)

    def put(self, found: Slice) -> None:
        with self._catalog.lock:
            changed = self._catalog.put_slice(found)
        self._tell(changed)

    def drop(self, key: str) -> None:
        with self._catalog.lock:
            changed = self._catalog.drop_slice(key)
        self._tell(changed)
