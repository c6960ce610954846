"""Catalog: what is known of the cluster, filled by the followers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from kubo_sdk_cfrouting.agent.routes_objects import Item, Node, Service, Slice, key_of, node_of, service_of, slice_of
from kubo_sdk_cfrouting.agent.trouble import say

STRANGE = (ValueError, KeyError, TypeError, AttributeError)

T = TypeVar("T")


class Shelf(Generic[T]):
    """Objects of one kind by key, reduced to what is kept of them; *changed* is called when any is different now."""

    def __init__(self, kind: str, read: Callable[[Item], T | None], changed: Callable[[], None]) -> None:
        self._kind = kind
        self._read = read
        self._changed = changed
        self._lock = threading.Lock()
        self._kept: dict[str, T] = {}
        self.listed = False

    def everything(self) -> tuple[T, ...]:
        with self._lock:
            return tuple(self._kept.values())

    def replace(self, items: list[dict[str, Any]]) -> None:
        """These and no others."""
        found = {key: kept for key, kept in map(self._entry, items) if kept is not None}
        with self._lock:
            different = found != self._kept or not self.listed
            self._kept, self.listed = found, True
        if different:
            self._changed()

    def put(self, item: Item) -> None:
        key, kept = self._entry(item)
        with self._lock:
            before = self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept
        if before != kept:
            self._changed()

    def drop(self, key: str) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
        if before is not None:
            self._changed()

    def _entry(self, item: Item) -> tuple[str, T | None]:
        """An object that makes no sense costs no other its routes."""
        try:
            return key_of(item), self._read(item)
        except STRANGE as error:
            say(f"a {self._kind} is left out: {error!r}")
        try:
            return key_of(item), None
        except STRANGE:
            return "", None


class View(NamedTuple):
    """``endpoint_nodes``: by Service, where its ready endpoints are."""

    services: tuple[Service, ...]
    nodes: tuple[Node, ...]
    endpoint_nodes: dict[str, frozenset[str]]


class Catalog:
    def __init__(self, changed: Callable[[], None]) -> None:
        self.services = Shelf("Service", service_of, changed)
        self.nodes = Shelf("Node", node_of, changed)
        self.slices = Shelf("EndpointSlice", slice_of, changed)

    @property
    def complete(self) -> bool:
        """Whether everything was listed; until then absent objects mean nothing."""
        return self.services.listed and self.nodes.listed and self.slices.listed

    def view(self) -> View:
        nodes: dict[str, frozenset[str]] = {}
        for each in self.slices.everything():
            _add(nodes, each)
        return View(self.services.everything(), self.nodes.everything(), nodes)


def _add(nodes: dict[str, frozenset[str]], found: Slice) -> None:
    if found.service:
        nodes[found.service] = nodes.get(found.service, frozenset()) | found.nodes
