"""Follower: keeps one kind of object up to date, for as long as the process lives."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from kubo_sdk_cfrouting.agent.routes_catalog import Shelf
from kubo_sdk_cfrouting.agent.routes_kubernetes import GONE, NOT_FOUND, ApiError, Kubernetes
from kubo_sdk_cfrouting.agent.routes_objects import key_of
from kubo_sdk_cfrouting.agent.trouble import Trouble

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
STRANGE = (ValueError, KeyError, TypeError, AttributeError)

T = TypeVar("T")


class Follower(Generic[T]):
    """*paths* are tried in order until one is known to the API server: the newer version of the API first."""

    def __init__(self, api: Kubernetes, paths: tuple[str, ...], shelf: Shelf[T], trouble: Trouble) -> None:
        self._api = api
        self._paths = paths
        self._path = paths[0]
        self._shelf = shelf
        self._trouble = trouble
        self._version = ""
        self._fresh = False

    def run(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Never returns.  What goes wrong is told once and tried again, first soon and then less often."""
        wait = FIRST_PAUSE
        while True:
            try:
                if not self._version:
                    self._list()
                    wait = FIRST_PAUSE
                if self._watch():
                    wait = FIRST_PAUSE
            except ApiError as error:
                self._trouble.begins(str(error))
                if error.status == GONE:
                    self._start_over()
            except STRANGE as error:
                self._trouble.begins(f"the API said something strange about {self._path}: {error!r}")
                self._start_over()
            # Not all masters of a cluster in the same moment.
            pause(wait * random.uniform(0.5, 1.0))  # noqa: S311
            wait = min(2 * wait, LONGEST_PAUSE)

    def _start_over(self) -> None:
        """List again, past the cache of the API server: what is in there may be as old as what is known."""
        self._version, self._fresh = "", True

    def _list(self) -> None:
        page = self._first_page()
        version, items = str(page["metadata"]["resourceVersion"]), list(page.get("items") or ())
        while more := page["metadata"].get("continue"):
            page = self._api.page(self._path, more=more)
            items += page.get("items") or ()
        self._shelf.replace(items)
        self._version, self._fresh = version, False
        self._trouble.ends()

    def _first_page(self) -> dict[str, Any]:
        for path in self._paths:
            self._path = path
            try:
                return self._api.page(path, fresh=self._fresh)
            except ApiError as error:
                if error.status != NOT_FOUND or path == self._paths[-1]:
                    raise
        raise AssertionError("there is at least one path")

    def _watch(self) -> bool:
        """Take events until the watch ends; whether there were any."""
        heard = False
        for event in self._api.watch(self._path, self._version, self._trouble.ends):
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                raise ApiError(f"the watch of {self._path} ended: {item.get('message')}", int(item.get("code") or 0))
            if kind == "DELETED":
                self._shelf.drop(key_of(item))
            elif kind != "BOOKMARK":
                self._shelf.put(item)
            self._version = item["metadata"]["resourceVersion"]
            heard = True
        return heard
