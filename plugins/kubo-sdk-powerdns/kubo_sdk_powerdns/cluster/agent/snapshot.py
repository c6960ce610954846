"""Snapshot: what was known last, on disk, so that a start without the API answers what the one before did."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kubo_sdk_powerdns.cluster.agent.catalog import Catalog
from kubo_sdk_powerdns.cluster.agent.objects import Endpoint, Port, Service, Slice

FORMAT = 1


def load(path: str, catalog: Catalog) -> bool:
    """Fill *catalog*; False where there is no snapshot, or one that cannot be used."""
    try:
        found = json.loads(Path(path).read_text())
        if found["format"] != FORMAT:
            return False
        services = [_service(each) for each in found["services"]]
        slices = [_slice(each) for each in found["slices"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    with catalog.lock:
        catalog.replace_slices(slices)
        catalog.replace_services(services)
    return True


def save(path: str, catalog: Catalog) -> None:
    """Write it anew, as a whole.  Raises OSError."""
    with catalog.lock:
        services, slices = list(catalog.services.values()), catalog.slices()
    text = json.dumps({"format": FORMAT, "services": services, "slices": slices}, separators=(",", ":"))
    fresh = Path(f"{path}.new")
    try:
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _service(row: list[object]) -> Service:
    key, addresses, headless, external, ports = row
    return Service(str(key), tuple(addresses), bool(headless), str(external), _ports(ports))  # type: ignore[arg-type]


def _slice(row: list[object]) -> Slice:
    key, service, ports, endpoints = row
    found = tuple(Endpoint(*each) for each in endpoints)  # type: ignore[attr-defined]
    return Slice(str(key), str(service), _ports(ports), found)


def _ports(rows: object) -> tuple[Port, ...]:
    return tuple(Port(*each) for each in rows)  # type: ignore[attr-defined]
