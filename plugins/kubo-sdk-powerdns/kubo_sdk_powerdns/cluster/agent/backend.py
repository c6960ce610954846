"""The remote backend's protocol: one JSON object for each question of pdns_server, one for each answer."""

from __future__ import annotations

import json
from typing import Any

from kubo_sdk_powerdns.cluster.agent.catalog import Catalog

TTL = 5
ANY = "ANY"


class NotReadyError(Exception):
    """Nothing is known yet: an answer would be a lie, and its absence is a failure that is asked again."""


class Backend:
    """Answers from *catalog* once somebody said that it is filled."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._zones = {f"{zone}.": number for number, zone in enumerate(catalog.zones, 1)}
        self.ready = False

    def answer(self, line: bytes) -> bytes:
        """The answer to one line.  NotReadyError, or ValueError where the line is no question."""
        question = json.loads(line)
        match question.get("method"):
            case "lookup":
                result = self._lookup(question["parameters"])
            case "initialize":
                result = True
            case "getAllDomains":
                result = [_domain(zone, number) for zone, number in self._zones.items()]
            case "getDomainInfo":
                result = self._domain_of(question["parameters"]["name"])
            case _:
                result = False
        return json.dumps({"result": result}).encode() + b"\n"

    def _lookup(self, parameters: dict[str, Any]) -> Any:
        if not self.ready:
            raise NotReadyError
        asked, wanted = parameters["qname"], parameters["qtype"]
        found = self._catalog.lookup(asked.rstrip(".").lower())
        # A query for any type is what the server asks nearly always; it filters what it gets.
        records = [each for each in found if wanted in (ANY, each[0])]
        return [{"qname": asked, "qtype": kind, "content": text, "ttl": TTL} for kind, text in records]

    def _domain_of(self, name: str) -> Any:
        zone = f"{name.rstrip('.').lower()}."
        return _domain(zone, self._zones[zone]) if zone in self._zones else False


def _domain(zone: str, number: int) -> dict[str, Any]:
    return {"id": number, "zone": zone, "kind": "native", "serial": 1, "masters": [], "notified_serial": 1}
