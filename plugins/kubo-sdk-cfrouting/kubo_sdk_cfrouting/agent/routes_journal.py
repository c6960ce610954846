"""Journal: one line for each port or host name that leads elsewhere than before, so that a journal tells the story."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kubo_sdk_cfrouting.agent.trouble import say

# A line is for people.
NAMED = 8


class Led(NamedTuple):
    """``where``: ``port 9000`` or a host name.  ``service``: whose mark it has.  ``backend``: ``address:port``."""

    where: str
    service: str
    backend: str


Table = Mapping[str, tuple[str, tuple[str, ...]]]  # service and backends by where


class Journal:
    """Says what is different since it was told the last time."""

    def __init__(self, tell: Callable[[str], None] = say) -> None:
        self._tell = tell
        self._table: Table = {}

    def note(self, routes: Iterable[Led]) -> None:
        """These are there now, and no others."""
        table = tabled(routes)
        for line in changes(self._table, table):
            self._tell(line)
        self._table = table

    def forget(self) -> None:
        """Another tells the story from now on."""
        self._table = {}


def tabled(routes: Iterable[Led]) -> Table:
    table: dict[str, tuple[str, tuple[str, ...]]] = {}
    for route in sorted(set(routes)):
        _, backends = table.get(route.where, ("", ()))
        table[route.where] = (route.service, (*backends, route.backend))
    return table


def changes(before: Table, after: Table) -> list[str]:
    """One sentence each."""
    gone = [f"{where} leads to {before[where][0]} no longer" for where in sorted(before.keys() - after.keys())]
    different = sorted(where for where, led in after.items() if before.get(where) != led)
    return gone + [f"{where} leads to {after[where][0]} at {_listed(after[where][1])}" for where in different]


def _listed(backends: tuple[str, ...]) -> str:
    rest = len(backends) - NAMED
    return ", ".join(backends[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
