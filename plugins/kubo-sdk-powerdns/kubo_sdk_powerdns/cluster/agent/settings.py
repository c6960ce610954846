"""Settings: the JSON file that tells a worker's agent what its cluster is like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from kubo_sdk_powerdns.cluster.agent.api import Access


class Settings(NamedTuple):
    """``zones``: the cluster's domain and then the reverse zones.  ``zone``: that of the machines' names.

    ``address``: where pods ask.  ``server``: where pdns_server listens.  ``forward``: who is asked for names outside,
    instead of whom the machine's ``resolv_conf`` names.  ``run`` holds sockets and what is written for the recursor,
    ``snapshot`` is the file with what was known last.
    """

    access: Access
    zones: tuple[str, ...]
    zone: str
    address: str
    server: str
    forward: tuple[str, ...]
    run: str
    snapshot: str
    resolv_conf: str = "/etc/resolv.conf"
    hosts: str = "/etc/hosts"

    @property
    def socket(self) -> str:
        """Where pdns_server finds the backend."""
        return f"{self.run}/backend.sock"

    @property
    def forwards(self) -> str:
        """The recursor's file of zones."""
        return f"{self.run}/forwards"


def load(path: str) -> Settings:
    """OSError, ValueError, KeyError or TypeError where the file cannot be used."""
    found = json.loads(Path(path).read_text())
    access = Access(**found.pop("access"))
    return Settings(access=access, zones=tuple(found.pop("zones")), forward=tuple(found.pop("forward")), **found)
