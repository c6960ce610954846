"""What happens before each start of the server: a new key for its API, and a database it can work with."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kubo_sdk_powerdns.managed.agent.database import choose
from kubo_sdk_powerdns.managed.agent.journal import say
from kubo_sdk_powerdns.managed.agent.settings import Settings, Wishes, with_api

OWNER_ONLY = 0o600


def prepare(settings: Settings, wishes: Wishes) -> None:
    """The key never leaves the machine's memory, where only the server's account reads it."""
    everybody = frozenset(wishes.api.tiers[0]) if wishes.api else frozenset()
    disk = Path(settings.database)
    database = choose(disk, settings.memory, with_api(wishes, everybody).zones)
    if database != disk:
        say(f"{disk.parent} takes no more; the names are served from memory until it does")
    key = secrets.token_urlsafe(32)
    settings.conf_directory.mkdir(mode=0o700, exist_ok=True)
    _write(settings.key, key)
    _write(settings.conf_directory / "local.conf", f"api-key={key}\ngsqlite3-database={database}\n")


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
        file.write(text)
    fresh.replace(path)
