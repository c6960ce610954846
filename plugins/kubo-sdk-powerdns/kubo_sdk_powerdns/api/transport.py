"""ApiTransport: records by the HTTP API, record set and mark in one PATCH, which is one transaction.

The API has no conditions: what is there is read first, and two writers of different clusters that take the same free
name within the same milliseconds are not told apart.  Dynamic updates are.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kubo_sdk.errors import Conflict, NotFound, ProviderError
from kubo_sdk_powerdns.api.client import ApiClient
from kubo_sdk_powerdns.api.server import check_server
from kubo_sdk_powerdns.api.zones import NewZones, check_zone, make_zone, path_of
from kubo_sdk_powerdns.busy import while_busy
from kubo_sdk_powerdns.ownership import beside, check_free
from kubo_sdk_powerdns.record_set import RecordSet, canonical

T = TypeVar("T")


class ApiTransport:
    """``new_zones``: what a zone gets that has to be made."""

    def __init__(self, client: ApiClient, new_zones: NewZones) -> None:
        self._client = client
        self._new_zones = new_zones
        self._writing = threading.Lock()
        self._server_checked = False

    def __str__(self) -> str:
        return str(self._client)

    def read_zone(self, zone: str) -> tuple[RecordSet, ...]:
        self._check_server()
        try:
            return _sets(self._client.get(path_of(zone)))
        except NotFound:
            return ()

    def put(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        def put() -> bool:
            self._ensure_zone(zone)
            found = self._read_names(zone, wished.name, mark.name)
            was_ours = check_free(wished, mark, found)
            if not {wished, mark} <= set(found):
                self._patch(zone, wished, [_replace(wished), _replace(mark)])
            return was_ours

        return self._write(put)

    def delete(self, zone: str, name: str, type: str, mark: RecordSet) -> None:
        def delete() -> None:
            changes = [_delete(name, type), _delete(mark.name, mark.type)]
            with contextlib.suppress(NotFound):
                found = self._read_names(zone, mark.name)
                if any(each.contents == mark.contents for each in found):
                    self._client.call("PATCH", path_of(zone), {"rrsets": changes})

        self._write(delete)

    def _write(self, change: Callable[[], T]) -> T:
        self._check_server()
        with self._writing:
            return while_busy(change)

    def _check_server(self) -> None:
        if not self._server_checked:
            check_server(self._client)
            self._server_checked = True

    def _ensure_zone(self, zone: str) -> None:
        try:
            found = self._client.get(f"{path_of(zone)}?rrsets=false")
        except NotFound:
            make_zone(self._client, zone, self._new_zones)
            return
        check_zone(self._client, found)

    def _read_names(self, zone: str, *names: str) -> list[RecordSet]:
        """What stands at the names.  Servers before 4.9.2 send comments of others along, as sets without records."""
        found: list[RecordSet] = []
        for name in names:
            told = _sets(self._client.get(f"{path_of(zone)}?rrset_name={name}"))
            found += [each for each in told if each.name == name]
        return found

    def _patch(self, zone: str, wished: RecordSet, changes: list[dict[str, Any]]) -> None:
        try:
            self._client.call("PATCH", path_of(zone), {"rrsets": changes})
        except NotFound:
            raise ProviderError(f"{self} lost the zone {zone} just now; run it again") from None
        except ProviderError as error:
            if "conflicts with" in str(error).lower():
                raise Conflict(beside(wished, "another type" if wished.type == "CNAME" else "CNAME")) from None
            raise


def _sets(zone: dict[str, Any]) -> tuple[RecordSet, ...]:
    return tuple(_read(each) for each in zone["rrsets"] if each["records"])


def _read(rrset: dict[str, Any]) -> RecordSet:
    records: Iterable[dict[str, Any]] = rrset["records"]
    served = [each for each in records if not each.get("disabled")]
    return RecordSet(
        name=rrset["name"].lower(),
        type=rrset["type"],
        ttl=rrset["ttl"],
        contents=tuple(canonical(rrset["type"], each["content"]) for each in served or records),
        served=bool(served),
    )


def _replace(wished: RecordSet) -> dict[str, Any]:
    return {
        "name": wished.name,
        "type": wished.type,
        "ttl": wished.ttl,
        "changetype": "REPLACE",
        "records": [{"content": content, "disabled": False} for content in wished.contents],
    }


def _delete(name: str, type: str) -> dict[str, Any]:
    return {"name": name, "type": type, "changetype": "DELETE"}
