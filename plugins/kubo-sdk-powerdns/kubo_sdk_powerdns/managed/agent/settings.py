"""Settings and Wishes: the two files the core writes for the agent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """Where the agent finds things.  ``recursor_port`` is 0 where no recursor stands in front of the server."""

    zone: str
    address: str
    server_port: int
    recursor_port: int
    api_port: int
    config: str
    run: str
    records: str
    database: str
    ca: str

    @property
    def conf_directory(self) -> Path:
        """What the server includes beside its own configuration."""
        return Path(self.run) / "conf.d"

    @property
    def key(self) -> Path:
        return Path(self.run) / "api-key"

    @property
    def memory(self) -> Path:
        """The database while its disk takes no more; gone with a reboot."""
        return Path(self.run) / "pdns.sqlite3"


class RRset(NamedTuple):
    """One record set; names and contents as the API of PowerDNS writes them."""

    name: str
    type: str
    ttl: int
    contents: frozenset[str]


class Zone(NamedTuple):
    name: str
    servers: tuple[str, ...]
    rrsets: tuple[RRset, ...]

    @property
    def start_of_authority(self) -> str:
        """The content of its SOA; that a name is absent may be kept for 5 seconds."""
        return f"{self.servers[0]} hostmaster.{self.name} 1 3600 600 604800 5"


class Api(NamedTuple):
    """Who may be the API, tier by tier."""

    name: str
    ttl: int
    port: int
    tiers: tuple[tuple[str, ...], ...]

    def rrset(self, addresses: frozenset[str]) -> RRset:
        return RRset(self.name, "A", self.ttl, addresses)


class Wishes(NamedTuple):
    """What is to be served."""

    zones: tuple[Zone, ...]
    api: Api | None


def load_settings(path: str) -> Settings:
    """OSError, ValueError, KeyError or TypeError when the file cannot be used."""
    return Settings(**json.loads(Path(path).read_text()))


def load_wishes(path: str) -> Wishes:
    """OSError, ValueError or KeyError when the file cannot be used."""
    told = json.loads(Path(path).read_text())
    return Wishes(zones=tuple(map(_zone, told["zones"])), api=_api(told["api"]) if told["api"] else None)


def with_api(wishes: Wishes, addresses: frozenset[str]) -> Wishes:
    """The wishes with ``api.<domain>`` at *addresses*; with none of them, without it."""
    if wishes.api is None or not addresses:
        return wishes
    first, *others = wishes.zones
    return wishes._replace(zones=(first._replace(rrsets=(*first.rrsets, wishes.api.rrset(addresses))), *others))


def _zone(told: dict[str, Any]) -> Zone:
    rrsets = (RRset(one["name"], one["type"], one["ttl"], frozenset(one["contents"])) for one in told["rrsets"])
    return Zone(told["name"], tuple(told["servers"]), tuple(rrsets))


def _api(told: dict[str, Any]) -> Api:
    return Api(told["name"], told["ttl"], told["port"], tuple(map(tuple, told["tiers"])))
